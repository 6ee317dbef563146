/**
 * A Kafka broker of one test file that lets nobody in without a login or a certificate, and grants nothing by itself. It is the
 * native server of the stack with ports, data and certificates of its own; what is started here is ended here.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type AclEntry, type Admin } from 'kafkajs'
import { kafkaProperties } from '../../infra/stack/settings.ts'
import { createAuthority, type Authority } from './certificates.ts'
import { freePort } from './free-port.ts'
import { makeKafkaNode } from './kafka-node.ts'
import { waitFor } from './wait.ts'

/** Node finds no named exports in a module of the old kind. */
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } = kafkajs

/** A running broker and what a client needs to know. */
export interface SecuredKafka {
  /** TLS and a login: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER with an unsigned token. */
  readonly brokers: string
  /** TLS with a client certificate; its common name is the user. */
  readonly mutualBrokers: string
  /** Without TLS or login, for the administrator of the test. */
  readonly openBrokers: string
  /** Signs the certificates of the broker and of clients. */
  readonly authority: Authority
  /** Nobody trusts it. */
  readonly foreign: Authority
  /** For files of the test; removed with the broker. */
  readonly folder: string
  /** An administrator who may do everything. */
  readonly admin: Admin
  /** What the authorizer has decided so far. */
  decisions(): Promise<readonly Decision[]>
  /** Resolves when the broker goes by it. */
  grant(user: string, rights: readonly BrokerRight[]): Promise<void>
  /** The same; the user must have it. */
  revoke(user: string, right: BrokerRight): Promise<void>
  /** Runs one of Kafka's own tools, for example `org.apache.kafka.tools.AclCommand`, and gives what it printed. */
  tool(mainClass: string, args: readonly string[]): Promise<string>
  close(): Promise<void>
}

/** A right by the name of its resource on the broker. */
export interface BrokerRight {
  readonly resource: 'topic' | 'group'
  readonly name: string
  readonly operation: 'Read' | 'Write' | 'Describe'
}

/** One line of the authorizer's log. */
export interface Decision {
  readonly user: string
  readonly isAllowed: boolean
  /** As in `READ`. */
  readonly operation: string
  /** As in `Topic:orders`. */
  readonly resource: string
  /** As in `Fetch`. */
  readonly request: string
}

/** Users that the broker knows from its start: name to password, the same for PLAIN and both SCRAMs. */
export type Users = Readonly<Record<string, string>>

const CLUSTER_ID = 'bGFiYW4tc2VjdXJlZC1rYWZrYQ'
const LOGIN = 'org.apache.kafka.common.security'

/** Starts one, with settings over its own; the files of Kafka are those that the stack has fetched. */
export async function startSecuredKafka(
  users: Users,
  more: Readonly<Record<string, string>> = {},
): Promise<SecuredKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'laban-secured-'))
  const [authority, foreign] = await Promise.all([createAuthority(folder, 'ca'), createAuthority(folder, 'foreign')])
  const ports = {
    open: await freePort(),
    secure: await freePort(),
    mutual: await freePort(),
    controller: await freePort(),
  }
  const scram = Object.entries(users).flatMap(([name, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  )
  const audit = join(folder, 'authorizer.log')
  const logging = join(folder, 'log4j2.yaml')
  await writeFile(logging, loggingOf(audit))
  const node = await makeKafkaNode({
    folder,
    properties: { ...(await properties(folder, ports, authority, users)), ...more },
    clusterId: CLUSTER_ID,
    probePort: ports.open,
    formatArgs: scram,
    logging,
  })
  const openBrokers = `127.0.0.1:${ports.open}`
  const admin = new Kafka({ brokers: [openBrokers], clientId: 'administrator', logLevel: logLevel.NOTHING }).admin()
  const close = async (): Promise<void> => {
    await admin.disconnect()
    await node.end('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await node.start()
    await admin.connect()
  } catch (error) {
    await close()
    throw error
  }
  return {
    brokers: `127.0.0.1:${ports.secure}`,
    mutualBrokers: `127.0.0.1:${ports.mutual}`,
    openBrokers,
    authority,
    foreign,
    folder,
    admin,
    decisions: async () => decisionsOf(await readFile(audit, 'utf8')),
    grant: async (user, rights) => {
      const acl = rights.map((right) => entryOf(user, right))
      await admin.createAcls({ acl })
      await waitFor(async () => (await grantedTo(admin, user)) >= acl.length, { what: 'the rights of a user' })
    },
    revoke: async (user, right) => {
      const filters = [entryOf(user, right)]
      const before = await grantedTo(admin, user)
      await admin.deleteAcls({ filters })
      await waitFor(async () => (await grantedTo(admin, user)) < before, { what: 'the end of a right' })
    },
    tool: (mainClass, args) => node.tool(mainClass, args),
    close,
  }
}

async function properties(
  folder: string,
  ports: Readonly<Record<'open' | 'secure' | 'mutual' | 'controller', number>>,
  authority: Authority,
  users: Users,
): Promise<Readonly<Record<string, string>>> {
  const { both } = await authority.sign('broker')
  const clients = `OPEN://127.0.0.1:${ports.open},SECURE://127.0.0.1:${ports.secure},MUTUAL://127.0.0.1:${ports.mutual}`
  const logins = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`)
  return {
    ...kafkaProperties,
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `${clients},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': clients,
    'listener.security.protocol.map': 'OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL,MUTUAL:SSL',
    'inter.broker.listener.name': 'OPEN',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.num.partitions': '1',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': both,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': authority.ca,
    'ssl.client.auth': 'requested',
    'listener.name.mutual.ssl.client.auth': 'required',
    'listener.name.mutual.ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/,DEFAULT',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'listener.name.secure.plain.sasl.jaas.config': `${LOGIN}.plain.PlainLoginModule required ${logins.join(' ')};`,
    'listener.name.secure.scram-sha-256.sasl.jaas.config': `${LOGIN}.scram.ScramLoginModule required;`,
    'listener.name.secure.scram-sha-512.sasl.jaas.config': `${LOGIN}.scram.ScramLoginModule required;`,
    'listener.name.secure.oauthbearer.sasl.jaas.config': `${LOGIN}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS;User:admin',
  }
}

/** The stack's, and every decision of the authorizer in a file of its own. */
function loggingOf(audit: string): string {
  return `Configuration:
  Appenders:
    Console: { name: STDOUT, PatternLayout: { pattern: "%p %m%n" } }
    File: { name: AUDIT, fileName: "${audit}", append: false, PatternLayout: { pattern: "%m%n" } }
  Loggers:
    Root: { level: WARN, AppenderRef: { ref: STDOUT } }
    Logger: { name: kafka.authorizer.logger, level: DEBUG, additivity: false, AppenderRef: { ref: AUDIT } }
`
}

const DECISION =
  /Principal = (\S+) is (Allowed|Denied) operation = (\w+) from host = \S+ on resource = (\w+):LITERAL:(\S+) for request = (\w+)/

function decisionsOf(log: string): Decision[] {
  return log.split('\n').flatMap((line) => {
    const [, user = '', verdict = '', operation = '', type = '', name = '', request = ''] = DECISION.exec(line) ?? []
    if (user === '') return []
    return [{ user, isAllowed: verdict === 'Allowed', operation, resource: `${type}:${name}`, request }]
  })
}

function entryOf(user: string, { resource, name, operation }: BrokerRight): AclEntry {
  return {
    resourceType: resource === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
    resourceName: name,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${user}`,
    host: '*',
    operation: OPERATIONS[operation],
    permissionType: AclPermissionTypes.ALLOW,
  }
}

const OPERATIONS = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Describe: AclOperationTypes.DESCRIBE,
} as const

async function grantedTo(admin: Admin, user: string): Promise<number> {
  const { resources } = await admin.describeAcls({
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    principal: `User:${user}`,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  })
  return resources.reduce((sum, { acls }) => sum + acls.length, 0)
}
