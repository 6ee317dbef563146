/** Whether a Redis can be trusted with claims: it must not evict, must persist, and must have room. */
import { Cluster } from 'ioredis'
import type { StoreHealth } from '../../ports/claim-store.ts'
import type { Client } from './connection.ts'

/** The oldest version whose SET takes NX and GET together and whose scripts may declare flags. */
const MIN_MAJOR = 7

/** Asks the server, or every master of a cluster. */
export async function readHealth(client: Client): Promise<StoreHealth> {
  if (!(client instanceof Cluster)) return healthOf(await readServer(client))
  const nodes = await Promise.all(
    client.nodes('master').map(async (node) => ({ node, health: healthOf(await readServer(node)) })),
  )
  return {
    version: nodes[0]?.health.version ?? 'unknown',
    unsafe: nodes.flatMap(({ node, health }) =>
      health.unsafe.map((reason) => `${node.options.host ?? ''}:${node.options.port ?? ''} ${reason}`),
    ),
    full: nodes.some(({ health }) => health.full),
  }
}

/** What a server says of itself. */
export interface ServerFacts {
  /** Fields of INFO. */
  readonly info: ReadonlyMap<string, string>
  /** Snapshot schedule; undefined when CONFIG is forbidden, as in hosted Redis. */
  readonly save?: string
  readonly appendfsync?: string
}

async function readServer(client: Exclude<Client, Cluster>): Promise<ServerFacts> {
  const [info, save, appendfsync] = await Promise.all([
    client.info(),
    readConfig(client, 'save'),
    readConfig(client, 'appendfsync'),
  ])
  return {
    info: parseInfo(info),
    ...(save === undefined ? {} : { save }),
    ...(appendfsync === undefined ? {} : { appendfsync }),
  }
}

async function readConfig(client: Exclude<Client, Cluster>, name: string): Promise<string | undefined> {
  try {
    const [, value] = (await client.config('GET', name)) as readonly string[]
    return value
  } catch {
    return undefined
  }
}

/** The lines `name:value` of INFO. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  return fields
}

/** Judges what a server says of itself. */
export function healthOf({ info, save, appendfsync }: ServerFacts): StoreHealth {
  const redisVersion = info.get('redis_version') ?? 'unknown'
  const valkeyVersion = info.get('valkey_version')
  const unsafe: string[] = []
  if (Number.parseInt(redisVersion) < MIN_MAJOR)
    unsafe.push(`version ${redisVersion} is too old, ${MIN_MAJOR}.0 is needed`)
  const policy = info.get('maxmemory_policy') ?? 'noeviction'
  if (policy !== 'noeviction') unsafe.push(`maxmemory-policy is ${policy}: keys may be evicted; set noeviction`)
  if (info.get('aof_enabled') === '0') unsafe.push(withoutAppendOnly(save))
  else if (appendfsync === 'no')
    unsafe.push('appendfsync is no: a crash of the machine forgets up to half a minute; set everysec')
  if (info.get('aof_last_write_status') === 'err')
    unsafe.push('the last write to the append-only file failed: check its disk')
  return { version: valkeyVersion === undefined ? redisVersion : `Valkey ${valkeyVersion}`, unsafe, full: isFull(info) }
}

function withoutAppendOnly(save: string | undefined): string {
  if (save === '')
    return 'appendonly is no and there are no snapshots: a restart forgets everything; set appendonly yes'
  return 'appendonly is no: a restart forgets what came after the last snapshot; set appendonly yes'
}

function isFull(info: ReadonlyMap<string, string>): boolean {
  const maxBytes = Number(info.get('maxmemory') ?? 0)
  const countedBytes = Number(info.get('used_memory') ?? 0) - Number(info.get('mem_not_counted_for_evict') ?? 0)
  return maxBytes > 0 && countedBytes > maxBytes
}
