/** The table of servers: a new one is a row here and a file beside this one. */
import type { Server } from '../server.ts'
import { serverNames, type ServerName } from '../settings.ts'
import { StackError } from '../stack-error.ts'
import { jaeger } from './jaeger.ts'
import { kafka } from './kafka.ts'
import { postgres } from './postgres.ts'
import { redis } from './redis.ts'
import { registry } from './registry.ts'

const table: Readonly<Record<ServerName, Server>> = { kafka, registry, redis, postgres, jaeger }

/**
 * The servers of a list such as `kafka,redis`; all when there is no list.
 * @throws StackError when a name is unknown.
 */
export function selectServers(list: string | undefined): readonly Server[] {
  if (list === undefined) return serverNames.map((name) => table[name])
  const asked = list.split(',').map((name) => name.trim())
  const unknown = asked.filter((name) => !(name in table))
  if (unknown.length > 0 || list.trim() === '') {
    throw new StackError(`unknown server: ${unknown.join(', ')}`, `The servers are ${serverNames.join(', ')}.`)
  }
  return serverNames.filter((name) => asked.includes(name)).map((name) => table[name])
}
