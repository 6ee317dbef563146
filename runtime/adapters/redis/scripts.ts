/** The Lua scripts: each atomic transition is one file in `scripts/`, whose header states KEYS, ARGV and the answer. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Client } from './connection.ts'

export type ScriptName =
  | 'epoch'
  | 'epoch-end'
  | 'recovered'
  | 'lead'
  | 'restore'
  | 'restore-fields'
  | 'read'
  | 'claim'
  | 'compute'
  | 'compute-new'
  | 'finish'
  | 'finish-plain'
  | 'hand'
  | 'bury'
  | 'settle'
  | 'release'
  | 'join'
  | 'journal-read'
  | 'journal-write'
  | 'park'
  | 'mark-clear'
  | 'park-fill'

/** What Redis answers: numbers, bytes, nil, and lists of them. */
export type Reply = number | Buffer | null | readonly Reply[]

interface Script {
  readonly source: string
  readonly sha1: string
}

const loaded = new Map<ScriptName, Script>()

/** Runs a script by its hash; a server that does not know it (restarted, failed over) is given the source. */
export async function runScript(
  client: Client,
  name: ScriptName,
  keys: readonly (Buffer | string)[],
  args: readonly (Buffer | string | number)[],
): Promise<Reply> {
  const script = load(name)
  const rest = [keys.length, ...keys, ...args]
  try {
    return (await client.callBuffer('evalsha', [script.sha1, ...rest])) as Reply
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return (await client.callBuffer('eval', [script.source, ...rest])) as Reply
  }
}

function load(name: ScriptName): Script {
  const known = loaded.get(name)
  if (known !== undefined) return known
  const source = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8')
  const script = { source, sha1: createHash('sha1').update(source).digest('hex') }
  loaded.set(name, script)
  return script
}
