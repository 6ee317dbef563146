/** Where the real servers are. A server that does not run fails the test that needs it, by name; nothing is skipped. */
import { join } from 'node:path'
import { resolveSettings } from '../../infra/stack/settings.ts'
import { readStackFile, type StackFile } from '../../infra/stack/stack-file.ts'

const { stackDir } = resolveSettings(join(import.meta.dirname, '..', '..'), process.env)

/** Addresses by the keys of `stack.json`, for example `brokers` or `redisUrl`. @throws Error that names the missing server */
export async function stackAddress<K extends keyof StackFile>(key: K): Promise<NonNullable<StackFile[K]>> {
  const stack: StackFile = (await readStackFile(stackDir)) ?? {}
  const address = stack[key]
  if (address !== undefined) return address
  throw new Error(`The real stack has no ${key}: start it with \`npm run stack -- up\` (${stackDir}).`)
}
