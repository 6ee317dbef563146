/** Checks a choreography before anything runs: agent files against each other and against the contracts. Pure, so CI needs no server. */
import { checkFullTransitive } from '../../contracts/compatibility.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import { checkCycles } from './check-cycles.ts'
import { checkJoinMembers, checkJoinRetention } from './check-joins.ts'
import { checkNames } from './check-names.ts'
import { checkEnds, checkKeys, checkTable, checkUses } from './check-topics.ts'
import { finding, type CheckedAgent, type Finding } from './finding.ts'

/** What to check. */
export interface ChoreographyCheck {
  readonly agents: readonly CheckedAgent[]
  readonly contracts: ContractSet
  /** Path of the topic table, when these are all agents that use it: rows that none uses are then found. */
  readonly tableFile?: string
  /** True: others run elsewhere, so a topic may have its producer, its consumer or the way to it there. @default false */
  readonly isPartial?: boolean
}

/** All findings, errors first, then by file; empty when the choreography is sound. */
export function checkChoreography({
  agents,
  contracts,
  tableFile,
  isPartial = false,
}: ChoreographyCheck): readonly Finding[] {
  const whole = isPartial ? [] : [...checkEnds(agents, contracts), ...checkJoinMembers(agents, contracts)]
  return [
    ...checkNames(agents, contracts),
    ...checkUses(agents, contracts),
    ...checkKeys(agents, contracts),
    ...checkJoinRetention(agents, contracts),
    ...checkCycles(agents),
    ...whole,
    ...(tableFile === undefined || isPartial ? [] : checkTable(agents, contracts, tableFile)),
    ...checkHistory(agents, contracts),
  ].sort((a, b) => rank(a) - rank(b) || (a.file < b.file ? -1 : a.file > b.file ? 1 : 0))
}

/** Contracts that these agents use, against their released versions. */
function checkHistory(agents: readonly CheckedAgent[], contracts: ContractSet): readonly Finding[] {
  const used = new Set(
    agents.flatMap(({ agent }) => [...agent.topics, ...agent.always, ...agent.oneOf, ...agent.maybe]),
  )
  return [...contracts.topics.values()]
    .filter(({ name }) => used.has(name))
    .flatMap(({ name: topic, schema, file }) =>
      checkFullTransitive(schema, contracts.history(topic)).map((incompatibility) =>
        finding(file, 'LABAN_CONTRACT_INCOMPATIBLE', { ...incompatibility, topic }),
      ),
    )
}

function rank({ severity }: Finding): number {
  return severity === 'error' ? 0 : 1
}
