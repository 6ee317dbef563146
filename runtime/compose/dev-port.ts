/** The control port of `laban dev`: other terminals publish to and read from a run that lives in another process. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFolderRegistry } from '../../contracts/registry-folder.ts'
import { LabanError } from '../../contracts/errors.ts'
import { contractsOf, type Stack, type StackOptions } from '../compose.ts'
import { systemClock } from '../ports/clock.ts'

/** Address and key of a control port. */
export interface DevAddress {
  readonly url: string
  /** Drawn at random for every run; whoever has it may publish and read. */
  readonly token: string
}

/** An open control port. */
export interface DevPort extends DevAddress {
  close(): Promise<void>
}

const TOKEN_BYTES = 24

/** Serves the stack's log on a free loopback port. */
export async function openDevPort(stack: Stack): Promise<DevPort> {
  const { serveBroker } = await import('../adapters/remote/server.ts')
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const handle = serveBroker(stack.broker, { token })
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The log of a running `laban dev`, to publish to and to read. Agents cannot run on it. @throws LABAN_BROKER_UNAVAILABLE */
export async function openRemote(options: StackOptions, address: DevAddress): Promise<Stack> {
  const { createRemoteBroker } = await import('../adapters/remote/client.ts')
  const { config, log, clock = systemClock } = options
  const contracts = contractsOf(config)
  const broker = createRemoteBroker(address)
  await broker.connect()
  return {
    kind: 'embedded',
    config,
    broker,
    registry: createFolderRegistry(contracts),
    contracts,
    clock,
    log,
    store: () =>
      Promise.reject(
        new LabanError('LABAN_BROKER_REFUSED', {
          operation: 'run agents',
          topic: '',
          problem: 'claims live in the process of `laban dev`',
        }),
      ),
    close: () => broker.close(),
  }
}
