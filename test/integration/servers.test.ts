/** Each server of the stack answers. When one is missing this is the test that says so; those that need it fail as well. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { selectServers } from '../../infra/stack/servers/all.ts'
import { resolveSettings } from '../../infra/stack/settings.ts'

const settings = resolveSettings(join(import.meta.dirname, '..', '..'), process.env)
const LONGEST_ANSWER_MS = 15_000

describe('the real stack', () => {
  for (const server of selectServers(undefined)) {
    it(`runs ${server.name}`, async () => {
      const silence = new Promise((resolve) => setTimeout(resolve, LONGEST_ANSWER_MS, 'no answer').unref())
      const answer = server.probe(settings).then(() => 'answers')
      expect(await Promise.race([answer, silence]), `${server.name}: npm run stack -- status`).toBe('answers')
    })
  }
})
