/** Rights with the user who needs them, once each, and how they are written down: rows, or commands for Kafka's own tool. */
import {
  agentRights,
  firstTopics,
  physicalName,
  publisherRights,
  readerRights,
  type ContractSet,
  type Right,
} from '../../contracts/index.ts'
import type { Agent } from '../../runtime/internal.ts'

/** One line of `laban acl`. */
export interface Grant {
  /** As ACLs name it: `User:credit.score`. */
  readonly principal: string
  readonly operation: Right['operation']
  readonly resource: Right['resource']
  /** On the broker, namespace included. */
  readonly name: string
  readonly purpose: string
}

/** For whom, and under which names. */
export interface GrantOptions {
  readonly contracts: ContractSet
  readonly namespace: string
  /** One user for all of them. */
  readonly principal: string | undefined
  readonly only: string | undefined
}

const PUBLISHER = 'User:laban.publish'
const READER = 'User:laban.reader'

/** The grants of agents, publisher and reader. What one user needs for several of them is named once. */
export function grantsFor(agents: readonly Agent[], options: GrantOptions): readonly Grant[] {
  const { contracts, namespace, principal, only } = options
  const wanted = (part: string): boolean => only === undefined || only === part
  const parts: { readonly user: string; readonly rights: readonly Right[] }[] = [
    ...(wanted('agents')
      ? agents.map((agent) => ({ user: `User:${agent.name}`, rights: agentRights(agent, contracts) }))
      : []),
    ...(wanted('publisher') ? [{ user: PUBLISHER, rights: publisherRights(firstTopics(agents)) }] : []),
    ...(wanted('reader') ? [{ user: READER, rights: readerRights(contracts) }] : []),
  ]
  const grants = new Map<string, Grant>()
  for (const { user, rights } of parts) {
    for (const right of rights) {
      const { operation, resource, purpose } = right
      const grant = { principal: principal ?? user, operation, resource, name: physicalName(right, namespace), purpose }
      const identity = [grant.principal, operation, resource, grant.name].join(' ')
      if (!grants.has(identity)) grants.set(identity, grant)
    }
  }
  return [...grants.values()]
}

/** Cells of the table. */
export function aclRows(grants: readonly Grant[]): readonly (readonly string[])[] {
  return grants.map(({ principal, operation, resource, name, purpose }) => [
    principal,
    operation,
    `${resource} ${name}`,
    purpose,
  ])
}

/** Commands that grant them: one for each user, kind of resource and operation. */
export function aclCommands(grants: readonly Grant[], brokers: readonly string[]): readonly string[] {
  const together = Map.groupBy(grants, ({ principal, operation, resource }) =>
    [principal, operation, resource].join(' '),
  )
  const server = brokers.length === 0 ? 'localhost:9092' : brokers.join(',')
  return [...together.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const names = group.map(({ name }) => `--${first.resource} ${quoted(name)}`).join(' ')
    const grant = `--add --allow-principal ${quoted(first.principal)} --operation ${first.operation} ${names}`
    return [`kafka-acls --bootstrap-server ${server} --command-config admin.properties ${grant}`]
  })
}

/** For a shell; topic names need none, users may. */
function quoted(text: string): string {
  return /^[\w.:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
