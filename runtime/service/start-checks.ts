/** What must be true before an agent may start; each failure names the command that mends it. `laban doctor` shows the same. */
import { agentTopicSettings } from '../../contracts/agent-topics.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/contract.ts'
import { LabanError } from '../../contracts/errors.ts'
import { agentRights } from '../../contracts/rights.ts'
import type { Agent } from '../agent.ts'
import type { Broker } from '../ports/broker.ts'
import type { Store } from '../ports/claim-store.ts'

export interface StartChecks {
  readonly agents: readonly Agent[]
  readonly contracts: ContractSet
  readonly broker: Broker
  readonly store: Store
  readonly allowUnsafe: boolean
}

/** @throws LABAN_BROKER_DENIED, LABAN_AGENT_INVALID, LABAN_CONTRACT_UNKNOWN_TOPIC, LABAN_TOPIC_MISSING, LABAN_STORE_UNSAFE */
export async function checkStart(checks: StartChecks): Promise<void> {
  for (const agent of checks.agents) checkJoin(agent, checks.contracts)
  await checkRights(checks)
  await checkTopics(checks)
  const { unsafe } = await checks.store.health()
  if (unsafe.length > 0 && !checks.allowUnsafe) {
    throw new LabanError('LABAN_STORE_UNSAFE', { url: 'redis.url', problem: unsafe.join('; ') })
  }
}

/** A member must not leave the log before the join may give up waiting for the others. */
function checkJoin(agent: Agent, contracts: ContractSet): void {
  if (!agent.isJoin) return
  for (const topic of agent.topics) {
    const { retentionMs } = contracts.get(topic)
    if (retentionMs === -1 || retentionMs >= agent.joinWithinMs) continue
    const problem = `the join waits ${agent.joinWithinMs} ms, but ${topic} keeps its records only ${retentionMs} ms`
    throw new LabanError('LABAN_AGENT_INVALID', { agent: agent.name, problem })
  }
}

/** Asked for all at once: a missing right would otherwise show at the first dead letter, or as a topic that is not there. */
async function checkRights({ agents, contracts, broker }: StartChecks): Promise<void> {
  await broker.checkRights?.(agents.flatMap((agent) => agentRights(agent, contracts)))
}

async function checkTopics({ agents, contracts, broker }: StartChecks): Promise<void> {
  const needed = new Set([FACTS_TOPIC, AGENTS_TOPIC, ...agents.flatMap((agent) => topicsOf(agent, contracts))])
  const existing = new Set(await broker.admin.listTopics())
  for (const topic of needed) if (!existing.has(topic)) throw new LabanError('LABAN_TOPIC_MISSING', { topic })
}

/** The topics with contracts that an agent reads or writes. */
export function eventTopicsOf(agent: Agent): string[] {
  return [...agent.topics, ...agent.always, ...agent.oneOf, ...agent.maybe]
}

/** Every topic an agent reads or writes, its own included. */
export function topicsOf(agent: Agent, contracts: ContractSet): string[] {
  const events = eventTopicsOf(agent)
  for (const topic of events) contracts.get(topic)
  return [...events, ...agentTopicSettings(agent, contracts).map((settings) => settings.name)]
}
