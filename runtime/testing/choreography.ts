/** `choreography`: agents in memory, told events, watched until they rest. One for each test: it shares nothing with any other. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { loadContracts, type ContractSet } from '../../contracts/contract-set.ts'
import { LabanError } from '../../contracts/errors.ts'
import type { Fact } from '../../contracts/fact.ts'
import { createFolderRegistry } from '../../contracts/registry-folder.ts'
import { plannedTopic } from '../../contracts/topic-plan.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import { renderTree } from '../../tracing/render-tree.ts'
import { createMemoryBroker, type MemoryBroker } from '../adapters/memory/broker.ts'
import { createMemoryStore } from '../adapters/memory/store.ts'
import type { Agent } from '../agent.ts'
import { createService, openCodec, type Stack } from '../compose.ts'
import { loadConfig } from '../config/load.ts'
import { configSchema } from '../config/schema.ts'
import type { EventOf, Topic } from '../events.ts'
import { silentLogger, type Logger } from '../ports/logger.ts'
import type { Service } from '../service/service.ts'
import { Narrator, TEST_SOURCE, type GivenEvent } from './narrator.ts'
import { RunningHandlers, untilQuiet } from './quiet.ts'
import { Recorder, type DeadLetter, type RecordedEvent } from './recorder.ts'
import { createTestClock, type TestClock } from './test-clock.ts'

/** How agents are tested; everything has a default. */
export interface ChoreographyOptions {
  /** Contracts, or their folder. @default the folder that the project's configuration names: `contracts` */
  readonly contracts?: ContractSet | string
  /** How long handlers may take, in real time, until everything rests. @default 5000 */
  readonly timeoutMs?: number
  /** Gets what agents log. @default nobody */
  readonly log?: Logger
}

/**
 * Agents in memory, at rest whenever no call is pending. Events that were published can be looked at synchronously then. All ids
 * derive from the names of flows and agents: they are the same in every run. Backoff takes no time.
 */
export interface Choreography extends AsyncDisposable {
  /**
   * Says an event that belongs to the past of what is tested, and lets the agents finish what follows. Resolves with its id.
   * @throws LABAN_CONTRACT_VALIDATION, LABAN_CONTRACT_RULE; LABAN_TEST_NOT_QUIET when a handler does not end
   */
  given<T extends Topic>(topic: T, value: EventOf<T>, options?: GivenEvent): Promise<string>
  /** The same for the event that is tested: `published` tells what agents say from here on. */
  when<T extends Topic>(topic: T, value: EventOf<T>, options?: GivenEvent): Promise<string>
  /** Values that agents published on a topic since the last `when` began, in order; before any `when`, since the start. */
  published<T extends Topic>(topic: T): readonly EventOf<T>[]
  /** Every event since the start, in order, the test's own included. */
  readonly events: readonly RecordedEvent[]
  /** What agents gave up on since the start. */
  readonly deadLetters: readonly DeadLetter[]
  /** Every fact since the start. */
  readonly facts: readonly Fact[]
  /** A flow as a graph, by the name it was given. @throws LABAN_FLOW_NOT_FOUND when no event had this name */
  flow(name?: string): FlowGraph
  /** The same as a drawing, several lines: for the message of a failing assertion. */
  drawing(name?: string): string
  /** Ends the agents. Twice is harmless. */
  close(): Promise<void>
}

const DEFAULT_TIMEOUT_MS = 5_000

/**
 * Starts agents in memory, with a log, claims and a clock of their own.
 * @throws LABAN_CONTRACT_INVALID, LABAN_CONTRACT_UNKNOWN_TOPIC, LABAN_AGENT_INVALID
 * @example
 * await using orders = await choreography([confirmOrder])
 * await orders.when('orders.order-placed', { orderId: 'A-1', total: 12 })
 * assert.deepEqual(orders.published('orders.order-confirmed'), [{ orderId: 'A-1' }], orders.drawing())
 */
export async function choreography(agents: readonly Agent[], options: ChoreographyOptions = {}): Promise<Choreography> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, log = silentLogger } = options
  const clock = createTestClock()
  const broker = createMemoryBroker({ clock })
  const stack = await memoryStack(contractsFor(options.contracts), { broker, clock, log })
  const { contracts } = stack
  const { codec } = await openCodec(stack)
  const recorder = new Recorder(broker, contracts, codec)
  const narrator = new Narrator({ contracts, codec, producer: await broker.producer(), clock })
  const handlers = new RunningHandlers()
  const failures: unknown[] = []
  const service = await createService(
    stack,
    agents.map((agent) => handlers.watch(agent)),
    { onFatal: (error) => failures.push(error), instance: TEST_SOURCE },
  )
  await service.start()
  const rest = async (): Promise<void> => {
    await untilQuiet({ broker, service, agents, handlers, clock, timeoutMs })
    if (failures.length > 0) throw failures[0]
  }
  await rest()
  return new MemoryChoreography({ recorder, narrator, rest, close: () => closeAll(service, stack, clock) })
}

interface Parts {
  readonly recorder: Recorder
  readonly narrator: Narrator
  readonly rest: () => Promise<void>
  readonly close: () => Promise<void>
}

class MemoryChoreography implements Choreography {
  readonly #parts: Parts
  /** Events before the last `when`. */
  #past = 0
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async given(topic: string, value: unknown, options?: GivenEvent): Promise<string> {
    if (this.#closing !== undefined) throw new LabanError('LABAN_SHUTDOWN')
    const eventId = await this.#parts.narrator.say(topic, value, options)
    await this.#parts.rest()
    return eventId
  }

  async when(topic: string, value: unknown, options?: GivenEvent): Promise<string> {
    this.#past = this.events.length
    return this.given(topic, value, options)
  }

  published<T extends Topic>(topic: T): readonly EventOf<T>[] {
    return this.events
      .slice(this.#past)
      .filter((event) => event.topic === topic && event.source !== TEST_SOURCE)
      .map((event) => event.value as EventOf<T>)
  }

  get events(): readonly RecordedEvent[] {
    return this.#parts.recorder.events
  }

  get deadLetters(): readonly DeadLetter[] {
    return this.#parts.recorder.deadLetters
  }

  get facts(): readonly Fact[] {
    return [...this.#parts.recorder.facts]
  }

  flow(name?: string): FlowGraph {
    return this.#parts.recorder.graph(this.#parts.narrator.flowId(name))
  }

  drawing(name?: string): string {
    return renderTree(this.flow(name))
  }

  close(): Promise<void> {
    this.#closing ??= this.#parts.close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function contractsFor(given: ContractSet | string | undefined): ContractSet {
  if (typeof given === 'object') return given
  return loadContracts({ dir: given ?? loadConfig().config.contractsDir })
}

/** Everything in memory. Of the configuration only the contracts' folder counts: a test is the same on every machine. */
async function memoryStack(
  contracts: ContractSet,
  { broker, ...parts }: Pick<Stack, 'clock' | 'log'> & { readonly broker: MemoryBroker },
): Promise<Stack> {
  await broker.connect()
  await broker.admin.createTopics([...contracts.topics.values()].map(plannedTopic))
  const store = createMemoryStore(parts)
  return {
    ...parts,
    kind: 'embedded',
    config: configSchema.parse({}),
    broker,
    registry: createFolderRegistry(contracts),
    contracts,
    store: () => Promise.resolve(store),
    close: () => broker.close(),
  }
}

/** A handler that does not end must not hold up the test: nothing is waited for in real time. */
async function closeAll(service: Service, stack: Stack, clock: TestClock): Promise<void> {
  let isStopped = false
  const stopped = service.stop().finally(() => (isStopped = true))
  // Rejections are reported where `stopped` is awaited.
  stopped.catch(() => undefined)
  while (!isStopped) {
    await nextTurn()
    clock.skipToNext()
  }
  await stopped
  await stack.close()
}
