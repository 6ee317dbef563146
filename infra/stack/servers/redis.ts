/** Redis, from the machine's packages. */
import { mkdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Server } from '../server.ts'
import { redisFlags } from '../settings.ts'
import { ensureProgram } from '../toolchain.ts'

const packageName = 'redis-server'

/** The store of claims, leases and joins. */
export const redis: Server = {
  name: 'redis',
  ports: ['redis'],
  startLimitMs: 30_000,
  address: ({ host, ports }) => `redis://${host}:${ports.redis}`,
  install: async ({ cacheDir }) => {
    await ensureProgram(cacheDir, 'redis-server', packageName)
  },
  prepare: async ({ cacheDir, stackDir, host, ports }) => {
    const dir = join(stackDir, 'redis')
    await mkdir(dir, { recursive: true })
    const flags = { port: String(ports.redis), bind: host, dir, save: '', 'set-proc-title': 'no', ...redisFlags }
    return {
      command: await ensureProgram(cacheDir, 'redis-server', packageName),
      args: Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
      cwd: dir,
      marker: dir,
    }
  },
  probe: ({ host, ports }) => ping(host, ports.redis),
}

/** A server that is still loading its log answers with an error, which is not PONG. */
function ping(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 2000 }, () => socket.write('PING\r\n'))
    socket.once('data', (answer) => {
      socket.destroy()
      if (answer.toString().startsWith('+PONG')) resolve()
      else reject(new Error(`Redis answers ${answer.toString().trim()}`))
    })
    socket.once('timeout', () => socket.destroy(new Error('Redis does not answer')))
    socket.once('error', reject)
  })
}
