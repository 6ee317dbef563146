/** Starts the console on an open stack: page and API on one port, of this machine only unless it is told otherwise. */
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { EventCodec } from '../../contracts/index.ts'
import {
  createDiagnostician,
  deadLetterDeskOn,
  describeUnknown,
  LabanError,
  type DeadLetterDesk,
  type FlowSource,
  type Stack,
} from '../../runtime/internal.ts'
import type { About } from '../api.ts'
import { createApp } from './create-app.ts'
import { DeadLetterShelf } from './dead-letter-shelf.ts'
import { KeptAnswers } from './kept-answers.ts'
import { Operator } from './operator.ts'
import { lettersOf } from './dead-letters.ts'
import { webFolder } from './web-folder.ts'

/** What a console needs. */
export interface ConsoleOptions {
  readonly stack: Stack
  readonly source: FlowSource
  /** Decodes events; needs no schema of ours to be registered. */
  readonly codec: EventCodec
  /** Asks about claims, for verdicts; absent where they live in another process. */
  readonly store?: Stack['store']
  /** What is looked at, for people. */
  readonly target: string
  readonly version: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Names under which it may be asked, besides those of this machine. */
  readonly allowedHosts: readonly string[]
  /** Turns actions on; asked at every action. Undefined: the console only reads. */
  readonly operatorToken: (() => string) | undefined
  /** False for a finished run, which takes nothing any more. @default true */
  readonly isWritable?: boolean
  /** A checkout makes the page first, which takes some seconds: before this listens, or with the first request. @default 'first' */
  readonly makePage?: 'first' | 'when-asked'
  /** Told when the page must be made. */
  readonly onBuild?: () => void
}

/** A running console. */
export interface RunningConsole {
  readonly url: string
  close(): Promise<void>
}

const NEEDS_TOKEN =
  'Set LABAN_CONSOLE_OPERATOR_TOKEN (or console.operatorToken) to a secret of at least 16 characters and start the console again.'
const IS_FINISHED = 'This is the log of a run that has ended; nothing can be added to it.'
const MAX_KEPT_WEIGHT = 600

/** Listens and answers until it is closed. @throws LABAN_CONSOLE_PORT, LABAN_CONSOLE_PAGE, LABAN_CONFIG_INVALID */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const { host, port } = options
  const webDir = (): Promise<string> => webFolder(options.onBuild)
  if (options.makePage !== 'when-asked') await webDir()
  const { app, close } = openConsole(options, webDir)
  try {
    await app.listen({ host, port })
  } catch (error) {
    await close()
    const details = { address: `${host}:${port}`, problem: describeUnknown(error) }
    throw new LabanError('LABAN_CONSOLE_PORT', details, { cause: error })
  }
  const { port: actualPort } = app.server.address() as AddressInfo
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}/`, close }
}

/** A console that does not listen yet. @throws LABAN_CONFIG_INVALID */
export function openConsole(
  options: Omit<ConsoleOptions, 'port' | 'makePage' | 'onBuild'>,
  webDir: () => Promise<string>,
): { readonly app: FastifyInstance; close(): Promise<void> } {
  const { stack, source, codec, host, allowedHosts } = options
  const log = stack.log.child({ component: 'console' })
  const kept = new KeptAnswers({ clock: stack.clock, maxWeight: MAX_KEPT_WEIGHT })
  const diagnostician = createDiagnostician({
    ...{ broker: stack.broker, contracts: stack.contracts, clock: stack.clock, source, codec },
    isOver: options.isWritable === false,
    ...(options.store === undefined ? {} : { store: options.store }),
  })
  const context = { stack, source, codec, diagnostician, log, kept, shelf: new DeadLetterShelf(stack) }
  let desk: Promise<DeadLetterDesk> | undefined
  const openDesk = async (): Promise<DeadLetterDesk> => {
    desk ??= deadLetterDeskOn(stack)
    // One that could not be opened is tried again by the next action.
    desk.catch(() => (desk = undefined))
    return desk
  }
  const operator = new Operator({
    token: options.isWritable === false ? undefined : options.operatorToken,
    log,
    desk: openDesk,
    contractOf: (topic) => stack.contracts.get(topic),
    lettersOf: (agent) => lettersOf(context, agent),
  })
  const about = (): About => aboutOf(options, operator)
  const app = createApp({ context, operator, about, allowedHosts: [...allowedHosts, host], webDir })
  return {
    app,
    close: async () => {
      app.server.closeAllConnections()
      await app.close()
      await (await desk?.catch(() => undefined))?.close()
    },
  }
}

function aboutOf(
  {
    stack,
    source,
    target,
    version,
    isWritable = true,
  }: Pick<ConsoleOptions, 'stack' | 'source' | 'target' | 'version' | 'isWritable'>,
  operator: Operator,
): About {
  const { isEnabled } = operator
  return {
    version,
    target,
    namespace: stack.config.namespace,
    readsFrom: source.kind,
    jaegerUrl: stack.config.tracing.jaegerUrl?.replace(/\/$/, '') ?? null,
    actions: { enabled: isEnabled, howTo: isEnabled ? '' : isWritable ? NEEDS_TOKEN : IS_FINISHED },
  }
}
