/** Who says what to whom: topics without a contract, without a producer, without a consumer, or said by somebody else. */
import { outputsOf } from '../../contracts/agent-shape.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/contract.ts'
import { isLabanError } from '../../contracts/errors.ts'
import { personalTexts } from '../../contracts/personal-values.ts'
import { compileRule } from '../../contracts/rules.ts'
import { finding, findingOf, warning, type CheckedAgent, type Finding } from './finding.ts'

const PLATFORM: ReadonlySet<string> = new Set([FACTS_TOPIC, AGENTS_TOPIC])

/** Topics that have no contract, whose producer is not allowed, or whose `accepts` cannot be used. */
export function checkUses(checked: readonly CheckedAgent[], contracts: ContractSet): readonly Finding[] {
  return checked.flatMap((one) => [
    ...unknownTopics(one, contracts),
    ...foreignOutputs(one, contracts),
    ...badRules(one, contracts),
  ])
}

/** Topics that one side of the choreography lacks. Only means something when all agents are checked together. */
export function checkEnds(checked: readonly CheckedAgent[], contracts: ContractSet): readonly Finding[] {
  const produced = new Set(checked.flatMap(({ agent }) => outputsOf(agent)))
  const consumed = new Set(checked.flatMap(({ agent }) => agent.topics))
  const unfed = checked.flatMap(({ agent, file }) =>
    agent.topics
      .filter((topic) => contracts.has(topic) && !produced.has(topic) && contracts.get(topic).isEntry !== true)
      .filter((topic) => !PLATFORM.has(topic))
      .map((topic) => finding(file, 'LABAN_CHECK_NO_PRODUCER', { agent: agent.name, topic })),
  )
  const unheard = checked.flatMap(({ agent, file }) =>
    outputsOf(agent)
      .filter((topic) => contracts.has(topic) && !consumed.has(topic) && contracts.get(topic).isEnd !== true)
      .map((topic) => finding(file, 'LABAN_CHECK_NO_CONSUMER', { agent: agent.name, topic })),
  )
  return [...unfed, ...unheard]
}

/** Rows of the topic table at `table` that no agent uses. Only means something when these are all agents of the table. */
export function checkTable(
  checked: readonly CheckedAgent[],
  contracts: ContractSet,
  table: string,
): readonly Finding[] {
  const used = new Set(checked.flatMap(({ agent }) => [...agent.topics, ...outputsOf(agent)]))
  return [...contracts.topics.keys()]
    .filter((topic) => !used.has(topic) && !PLATFORM.has(topic))
    .map((topic) => warning(table, 'LABAN_CHECK_UNUSED_TOPIC', { topic }))
}

/** Topics of these agents whose record key is personal. */
export function checkKeys(checked: readonly CheckedAgent[], contracts: ContractSet): readonly Finding[] {
  const used = new Set(checked.flatMap(({ agent }) => [...agent.topics, ...outputsOf(agent)]))
  return [...contracts.topics.values()].flatMap(({ name: topic, keyField: field, schema, file }) => {
    if (!used.has(topic) || field === null) return []
    // What is masked where only the key field has a value is the key.
    const isPersonal = personalTexts(schema, { [field]: SAMPLE_KEY }).length > 0
    return isPersonal ? [warning(file, 'LABAN_CHECK_PERSONAL_KEY', { topic, field })] : []
  })
}

const SAMPLE_KEY = 'sample key'

function unknownTopics({ agent, file }: CheckedAgent, contracts: ContractSet): readonly Finding[] {
  return [...new Set([...agent.topics, ...outputsOf(agent)])].flatMap((topic) => {
    try {
      contracts.get(topic)
      return []
    } catch (error) {
      if (!isLabanError(error)) throw error
      return [findingOf(error, file)]
    }
  })
}

function foreignOutputs({ agent, file }: CheckedAgent, contracts: ContractSet): readonly Finding[] {
  return outputsOf(agent).flatMap((topic) => {
    const contract = contracts.topics.get(topic)
    const producers = contract?.producers
    if (contract === undefined || producers === undefined || producers.some((name) => fits(agent.name, name))) return []
    const details = { agent: agent.name, topic, producers: producers.join(', '), owner: contract.owner }
    return [finding(file, 'LABAN_CHECK_FOREIGN_PRODUCER', details)]
  })
}

function fits(agent: string, pattern: string): boolean {
  return pattern.endsWith('.*') ? agent.startsWith(pattern.slice(0, -1)) : agent === pattern
}

function badRules({ agent, file }: CheckedAgent, contracts: ContractSet): readonly Finding[] {
  return Object.entries(agent.accepts).flatMap(([topic, expression]) => {
    const schema = contracts.topics.get(topic)?.schema
    if (schema === undefined) return []
    try {
      compileRule(expression, { schema })
      return []
    } catch (error) {
      if (!isLabanError(error)) throw error
      return [finding(file, 'LABAN_CHECK_ACCEPTS', { agent: agent.name, topic, problem: error.message })]
    }
  })
}
