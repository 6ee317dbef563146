/** A console on an embedded stack with agents of a test: what it answers, and a way to publish first events. */
import { join } from 'node:path'
import { createCodec } from '../../contracts/index.ts'
import { openConsole, startConsole } from '../../console/server/start-console.ts'
import {
  createService,
  loadConfig,
  logFlowSource,
  openEmbedded,
  publisherOn,
  type Agent,
  type Publisher,
  type Service,
  type Stack,
} from '../../runtime/internal.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'

/** What a test chooses. */
export interface ConsoleWorldOptions {
  readonly contractsDir: string
  readonly agents: readonly Agent[]
  readonly operatorToken?: string
  readonly isWritable?: boolean
  readonly allowedHosts?: readonly string[]
}

/** See the file's head. */
export interface ConsoleWorld {
  readonly stack: Stack
  readonly publisher: Publisher
  readonly service: Service
  /** Asks without a network. */
  readonly app: ReturnType<typeof openConsole>['app']
  /** Serves page and answers; resolves with the address. */
  listen(): Promise<string>
  stop(): Promise<void>
}

/** The agents run when this resolves. */
export async function openConsoleWorld(options: ConsoleWorldOptions): Promise<ConsoleWorld> {
  const { contractsDir, agents, operatorToken, isWritable = true, allowedHosts = [] } = options
  const { config } = loadConfig({ environment: { LABAN_CONTRACTS_DIR: contractsDir } })
  const stack = await openEmbedded({ config, log: silentLogger })
  const service = await createService(stack, agents, {
    onFatal: (error) => process.emit('uncaughtException', error as Error),
  })
  await service.start()
  const { broker, contracts, registry } = stack
  const codec = createCodec({ contracts, registry, schemaIds: new Map() })
  const shared = {
    ...{
      stack,
      codec,
      source: logFlowSource({ broker, contracts, codec }),
      target: 'a test',
      version: '0.0.0',
      host: '127.0.0.1',
    },
    ...{
      allowedHosts,
      isWritable,
      store: stack.store,
      operatorToken: operatorToken === undefined ? undefined : () => operatorToken,
    },
  }
  const console = openConsole(shared, () => Promise.resolve(join(import.meta.dirname, 'console-page')))
  const publisher = await publisherOn(stack)
  const closers: (() => Promise<void>)[] = [console.close, () => publisher.close(), () => service.stop(), stack.close]
  return {
    ...{ stack, publisher, service, app: console.app },
    listen: async () => {
      const running = await startConsole({ ...shared, port: 0 })
      closers.unshift(running.close)
      return running.url
    },
    stop: async () => {
      for (const close of closers) await close()
    },
  }
}
