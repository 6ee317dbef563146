/** Each server of the stack answers. When one is missing this is the test that says so; those that need it fail as well. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { selectServers } from '../../infra/stack/servers/all.ts'
import { resolveSettings } from '../../infra/stack/settings.ts'

const settings = resolveSettings(join(import.meta.dirname, '..', '..'), process.env)

describe('the real stack', () => {
  it.each(selectServers(undefined))('runs $name', async (server) => {
    await expect(server.probe(settings), `${server.name} does not answer: npm run stack -- up`).resolves.toBeUndefined()
  })
})
