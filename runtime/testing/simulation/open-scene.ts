/** Makes the scene of a simulation: contracts, one codec for all runs, and the first events, given or generated from the contracts. */
import { loadContracts, type ContractSet } from '../../../contracts/contract-set.ts'
import { createCodec } from '../../../contracts/create-codec.ts'
import type { EventCodec } from '../../../contracts/codec.ts'
import { isLabanError, LabanError } from '../../../contracts/errors.ts'
import { createFolderRegistry } from '../../../contracts/registry-folder.ts'
import { resolveSchemaIds } from '../../../contracts/schema-ids.ts'
import type { Agent } from '../../agent.ts'
import { loadConfig } from '../../config/load.ts'
import { silentLogger } from '../../ports/logger.ts'
import { arbitraryValue } from './arbitrary-value.ts'
import { expectationsOn, type ExpectFlow } from './expectations.ts'
import { Honesty } from './honesty.ts'
import type { FirstEventSample } from './load.ts'
import type { Random } from './random.ts'
import type { Scene, Tamper } from './scene.ts'
import { usualHandlerMs } from './simulated-handlers.ts'

/** What a scene is made from. */
export interface SceneOptions {
  readonly contracts?: ContractSet | string
  readonly events?: readonly FirstEventSample[]
  readonly flows: number
  readonly processes: number
  readonly handlerMs?: (random: Random) => number
  readonly expect?: ExpectFlow
  readonly tamper?: Tamper
}

const FLOW_EVERY_MS = 200
const SHORTEST_LOAD_MS = 20_000
/** Values that a rule refuses are drawn again. */
const MOST_DRAWS = 200

/** @throws LABAN_CONTRACT_INVALID, LABAN_CONTRACT_UNKNOWN_TOPIC, LABAN_SIMULATION_NO_EVENTS */
export async function openScene(agents: readonly Agent[], options: SceneOptions): Promise<Scene> {
  const contracts = contractsFor(options.contracts)
  const registry = createFolderRegistry(contracts)
  const schemaIds = await resolveSchemaIds(contracts, registry, contracts.topics.keys(), {
    register: true,
    namespace: '',
  })
  const codec = createCodec({ contracts, registry, schemaIds, nowMs: () => 0 })
  const { flows, processes } = options
  return {
    ...{ agents, contracts, codec, schemaIds, flows, processes },
    log: silentLogger,
    honesty: new Honesty(),
    withinMs: Math.max(SHORTEST_LOAD_MS, flows * FLOW_EVERY_MS),
    next: firstEvents(agents, contracts, codec, options.events),
    handlerMs: options.handlerMs ?? usualHandlerMs,
    ...(options.tamper === undefined ? {} : { tamper: options.tamper }),
    expectations: expectationsOn(codec, options.expect),
  }
}

function contractsFor(given: ContractSet | string | undefined): ContractSet {
  if (typeof given === 'object') return given
  return loadContracts({ dir: given ?? loadConfig().config.contractsDir })
}

function firstEvents(
  agents: readonly Agent[],
  contracts: ContractSet,
  codec: EventCodec,
  given: readonly FirstEventSample[] | undefined,
): Scene['next'] {
  if (given !== undefined && given.length > 0) {
    for (const { topic, value } of given) codec.encode(topic, value)
    return (random) => random.pick(given)
  }
  const said = new Set(agents.flatMap(({ always, oneOf, maybe }) => [...always, ...oneOf, ...maybe]))
  const roots = [...new Set(agents.flatMap(({ topics }) => topics))].filter((topic) => !said.has(topic)).sort()
  if (roots.length === 0) {
    const problem = 'every topic that an agent reads is written by an agent, so no event begins a flow'
    throw new LabanError('LABAN_SIMULATION_NO_EVENTS', { problem })
  }
  return (random) => drawEvent(random.pick(roots), contracts, codec, random)
}

function drawEvent(topic: string, contracts: ContractSet, codec: EventCodec, random: Random): FirstEventSample {
  for (let draws = 0; draws < MOST_DRAWS; draws++) {
    const value = arbitraryValue(contracts.get(topic), random)
    try {
      codec.encode(topic, value)
      return { topic, value }
    } catch (error) {
      if (!isLabanError(error)) throw error
    }
  }
  const problem = `none of ${MOST_DRAWS} values drawn for ${topic} keeps the rules of its contract`
  throw new LabanError('LABAN_SIMULATION_NO_EVENTS', { problem })
}
