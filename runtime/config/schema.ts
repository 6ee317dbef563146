/** The configuration: one strict schema gives type, defaults, checks, documentation and `.env.example`. A new key is one line here. */
import * as z from 'zod'
import { Secret } from './secret.ts'

/** How a leaf is documented beyond its description. */
export interface KeyMeta {
  /** Shown in the reference; numbers carry it in their names too. */
  readonly unit?: string
  /** Never printed; in the environment also as `<NAME>_FILE`. */
  readonly isSecret?: boolean
  /** A path, relative to the folder of the configuration file; absolute after loading. */
  readonly isPath?: boolean
  /** May carry a password, which is redacted when printed. */
  readonly isUrl?: boolean
}

const key = <T extends z.ZodType>(type: T, description: string, meta: KeyMeta = {}): T =>
  type.meta({ ...meta, description })
const section = <T extends z.ZodRawShape>(description: string, shape: T) => z.strictObject(shape).meta({ description })
const durationMs = z.int().min(1)
const port = z.int().min(0).max(65_535)
const isUrlOf = (text: string, protocols: readonly string[]): boolean =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol)
const beginsWith = (protocols: readonly string[]): string =>
  `begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`
const url = (...protocols: string[]) =>
  z.string().refine((text) => isUrlOf(text, protocols), { error: `must be a URL that ${beginsWith(protocols)}` })
const urls = (...protocols: string[]) =>
  z.string().refine((text) => text.split(',').every((part) => isUrlOf(part.trim(), protocols)), {
    error: `must be a URL that ${beginsWith(protocols)}, or several with commas between`,
  })
const secret = z
  .union([z.string().min(1), z.strictObject({ file: z.string().min(1) })], {
    error: 'must be text or { "file": "<path>" }',
  })
  .transform((value) => (typeof value === 'string' ? Secret.of(value) : Secret.fromFile(value.file)))

const NAMESPACE = /^([a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)*)?$/
const BROKER = /^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/

const kafka = section('Connection and group membership.', {
  ssl: key(z.boolean().default(false), 'TLS to the brokers.'),
  sslCaFile: key(z.string().optional(), 'Certificate authority to trust instead of the system ones (PEM).', {
    isPath: true,
  }),
  sslCertFile: key(z.string().optional(), 'Client certificate (PEM), for mutual TLS.', { isPath: true }),
  sslKeyFile: key(z.string().optional(), 'Key of the client certificate (PEM).', { isPath: true }),
  sslKeyPassphrase: key(secret.optional(), 'Passphrase of that key, if it is encrypted.', { isSecret: true }),
  sslServername: key(
    z.string().min(1).optional(),
    'Name that the certificates of the brokers are made out to, where it is not the one in `brokers`.',
  ),
  saslMechanism: key(
    z.enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']).default('none'),
    'How to log in to the brokers.',
  ),
  saslUsername: key(z.string().min(1).optional(), 'User name for PLAIN and SCRAM.'),
  saslPassword: key(secret.optional(), 'Password for PLAIN and SCRAM.', { isSecret: true }),
  saslToken: key(
    secret.optional(),
    'Token for OAUTHBEARER, mostly a file that another program keeps fresh. A program gives a function instead.',
    { isSecret: true },
  ),
  sessionTimeoutMs: key(durationMs.default(10_000), 'A member that is silent for so long is expelled from its group.'),
  heartbeatIntervalMs: key(
    durationMs.default(1_000),
    'Time between heartbeats; at most a third of the session time-out. Handlers never block them.',
  ),
  connectionTimeoutMs: key(durationMs.default(5_000), 'Longest wait for a connection to a broker.'),
  records: key(
    z.enum(['fast', 'kafkajs']).default('fast'),
    'Who writes and reads record batches: laban, in one pass, or kafkajs, several times slower. Same bytes.',
  ),
})

const shape = {
  namespace: key(
    z
      .string()
      .regex(NAMESPACE, { error: 'must be lower-case words of letters, digits and dashes, joined by dots' })
      .max(100)
      .default(''),
    'Prefix of topics, groups, subjects and Redis keys, so that teams and environments share a cluster.',
  ),
  environment: key(z.string().min(1).optional(), 'Which overrides of the topic table apply; unset: none.'),
  brokers: key(
    z.array(z.string().regex(BROKER, { error: 'must be host:port' })).default([]),
    'Kafka bootstrap servers, host:port. Empty: no Kafka.',
  ),
  clientId: key(z.string().min(1).default('laban'), 'How this process names itself to the brokers.'),
  kafka: kafka.prefault({}),
  registry: section('Schema registry.', {
    url: key(
      url('http:', 'https:').optional(),
      'Confluent-compatible API, for example http://127.0.0.1:18081/apis/ccompat/v7.',
      { isUrl: true },
    ),
    username: key(z.string().optional(), 'User name for basic authentication.'),
    password: key(secret.optional(), 'Password for basic authentication.', { isSecret: true }),
    token: key(secret.optional(), 'Bearer token, instead of user name and password.', { isSecret: true }),
    sslCaFile: key(z.string().optional(), 'Certificate authority to trust instead of the system ones (PEM).', {
      isPath: true,
    }),
    timeoutMs: key(durationMs.default(10_000), 'Longest wait for one answer.'),
  }).prefault({}),
  redis: section('Claims, leases and joins.', {
    url: key(
      urls('redis:', 'rediss:').optional(),
      'Redis 7 or Valkey, for example redis://127.0.0.1:16379; rediss: for TLS.',
      {
        isUrl: true,
      },
    ),
    cluster: key(
      z.boolean().default(false),
      'Redis Cluster: redis.url may then name several nodes, with commas between.',
    ),
    username: key(z.string().min(1).optional(), 'ACL user; instead of one in the URL.'),
    password: key(secret.optional(), 'Password; instead of one in the URL.', { isSecret: true }),
    sslCaFile: key(
      z.string().optional(),
      'Certificate authority to trust instead of the system ones (PEM); needs a rediss: URL.',
      { isPath: true },
    ),
    sslCertFile: key(z.string().optional(), 'Client certificate (PEM), for mutual TLS.', { isPath: true }),
    sslKeyFile: key(z.string().optional(), 'Key of the client certificate (PEM).', { isPath: true }),
    allowUnsafe: key(z.boolean().default(false), 'Start although Redis may evict or lose claims.'),
  }).prefault({}),
  ledger: section('The queryable view of all flows. Without one, flows are read from the log itself.', {
    url: key(
      url('postgres:', 'postgresql:').optional(),
      'PostgreSQL 15 or later, for example postgres://laban@127.0.0.1:5432/laban.',
      { isUrl: true },
    ),
    password: key(secret.optional(), 'Password; instead of one in the URL.', { isSecret: true }),
    sslCaFile: key(
      z.string().optional(),
      'Certificate authority of PostgreSQL (PEM); connections are then encrypted.',
      {
        isPath: true,
      },
    ),
    dir: key(
      z.string().min(1).optional(),
      'Folder of an embedded database (PGlite) instead of ledger.url; one process uses it at a time. Needs the package @electric-sql/pglite.',
      { isPath: true },
    ),
    schema: key(
      z.string().min(1).max(63).optional(),
      'Schema of its tables in the database. Unset: `laban`, with a namespace `laban_<namespace>`.',
    ),
    retentionDays: key(
      z.int().min(1).optional(),
      'How long it keeps facts and flows. Unset: as long as the contract of laban.facts keeps them on the log.',
    ),
    maxBatchFacts: key(z.int().min(1).max(50_000).default(5_000), 'Facts written in one transaction at most.'),
    quietMs: key(
      z.int().min(0).default(500),
      'A flow that has been quiet for so long is summed up; a busy one after four times as long.',
    ),
  }).prefault({}),
  contractsDir: key(
    z.string().min(1).default('contracts'),
    'Folder of the contracts: Avro schemas and the topic table.',
    { isPath: true },
  ),
  agents: key(
    z.array(z.string().min(1)).default(['services/*/*.ts']),
    'Agent files for `laban dev` and `laban demo`, as globs; files that define no agent are passed over.',
  ),
  stateDir: key(
    z.string().min(1).default('.laban'),
    'Folder of the local state: embedded runs, the address of `laban dev`.',
    { isPath: true },
  ),
  steps: section('Results of steps.', {
    maxResultBytes: key(
      z
        .int()
        .min(1)
        .max(512 * 1024)
        .default(64 * 1024),
      'Largest result, as JSON, that is kept in Redis and on the journal topic. Larger ones go to steps.resultsDir.',
    ),
    resultsDir: key(
      z.string().min(1).optional(),
      'Folder for larger results, shared by all instances of an agent. Unset: they are refused.',
      { isPath: true },
    ),
  }).prefault({}),
  reading: section('Reading flows back.', {
    allowUnmask: key(
      z.boolean().default(false),
      'Whether `--unmask` may show what contracts mark as personal. Who may set this may read it.',
    ),
  }).prefault({}),
  tracing: section('Traces over OTLP.', {
    enabled: key(z.boolean().default(true), 'Whether traces are made; they are sent only when otlpUrl is set.'),
    otlpUrl: key(
      url('http:', 'https:').optional(),
      'Base of OTLP over HTTP, for example http://127.0.0.1:14318; traces go to <otlpUrl>/v1/traces.',
      { isUrl: true },
    ),
    otlpHeaders: key(secret.optional(), 'Sent with every export: `name=value`, several with commas between.', {
      isSecret: true,
    }),
    otlpCaFile: key(z.string().optional(), 'Certificate authority to trust instead of the system ones (PEM).', {
      isPath: true,
    }),
    sampleRatio: key(
      z.number().min(0).max(1).default(1),
      'Share of flows that are traced; decided per flow by its id.',
    ),
    jaegerUrl: key(
      url('http:', 'https:').optional(),
      'Jaeger, to link flows to traces, for example http://127.0.0.1:16686.',
      { isUrl: true },
    ),
  }).prefault({}),
  metrics: section('Metrics for Prometheus, and over OTLP.', {
    enabled: key(z.boolean().default(true), 'Whether /metrics is served, and metrics are pushed where otlpUrl is set.'),
    otlpUrl: key(
      url('http:', 'https:').optional(),
      'Base of OTLP over HTTP of a collector that takes metrics; they go to <otlpUrl>/v1/metrics. Unset: they are not pushed.',
      { isUrl: true },
    ),
    otlpEveryMs: key(durationMs.default(15_000), 'Time between two pushes.'),
    otlpHeaders: key(secret.optional(), 'Sent with every push: `name=value`, several with commas between.', {
      isSecret: true,
    }),
    otlpCaFile: key(z.string().optional(), 'Certificate authority to trust instead of the system ones (PEM).', {
      isPath: true,
    }),
  }).prefault({}),
  http: section('Health and metrics endpoints.', {
    host: key(z.string().min(1).default('127.0.0.1'), 'Address to listen on.'),
    port: key(port.default(0), 'Port of /live, /ready and /metrics. 0: any free port. Containers use 9464.'),
  }).prefault({}),
  console: section('The console in a browser.', {
    host: key(z.string().min(1).default('127.0.0.1'), 'Address to listen on. Whoever reaches it reads all events.'),
    port: key(port.default(9470), 'Port of page and API. 0: any free port.'),
    allowedHosts: key(
      z.array(z.string().min(1)).default([]),
      'Names under which it is asked, without port, where it stands behind another name than its own address.',
    ),
    operatorToken: key(
      secret.optional(),
      'At least 16 characters. Whoever has it may redrive, correct and discard dead letters. Unset: it only reads.',
      { isSecret: true },
    ),
    inDev: key(z.boolean().default(true), 'Whether `laban dev` serves it too.'),
  }).prefault({}),
  leaseMs: key(durationMs.default(10_000), 'How long the work of a silent process stays its own; renewed every third.'),
  drainTimeoutMs: key(z.int().min(0).default(30_000), 'How long running handlers may take to finish on shutdown.'),
  maxInFlight: key(z.int().min(1).default(20_000), 'Events that one process holds at once.'),
  maxBufferedBytes: key(
    z
      .int()
      .min(1024)
      .default(256 * 1024 * 1024),
    'Bytes of events that one process holds at once.',
  ),
  dedup: key(z.enum(['on', 'off']).default('on'), 'off only in tests: shows what duplicates would do.'),
  producer: section('Publishing.', {
    maxBatchBytes: key(
      z.int().min(1024).default(900_000),
      'Largest send; brokers refuse batches above 1 MiB by default. Nothing waits for a send to fill.',
    ),
  }).prefault({}),
  log: section('Log of the processes.', {
    level: key(z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'), 'Least level that is written.'),
    format: key(z.enum(['auto', 'json', 'pretty']).default('auto'), 'auto: pretty on a terminal, else JSON.'),
  }).prefault({}),
}

/** The whole configuration with the rules that tie keys together. */
export const configSchema = z.strictObject(shape).superRefine((config, context) => {
  for (const { path, problem } of contradictions(config)) {
    context.addIssue({ code: 'custom', path: path.split('.'), message: problem })
  }
})

/** A checked configuration with all defaults filled in; paths are absolute. */
export type Config = Readonly<z.output<typeof configSchema>>

/** The configuration before checks: what a file may contain. */
export type ConfigInput = z.input<typeof configSchema>

type Unchecked = z.output<z.ZodObject<typeof shape, z.core.$strict>>

/** Rules across keys. Each says which key to change. */
function contradictions(config: Unchecked): { path: string; problem: string }[] {
  const { sessionTimeoutMs, heartbeatIntervalMs } = config.kafka
  const found = [...loginRules(config), ...certificateRules(config)]
  if (heartbeatIntervalMs * 3 > sessionTimeoutMs) {
    const problem = `must be at most a third of kafka.sessionTimeoutMs (${sessionTimeoutMs})`
    found.push({ path: 'kafka.heartbeatIntervalMs', isBroken: true, problem })
  }
  // A member must not be expelled, and its partitions handled by others, after its claims can already be taken.
  if (config.leaseMs < sessionTimeoutMs) {
    const problem = `must not be shorter than kafka.sessionTimeoutMs (${sessionTimeoutMs})`
    found.push({ path: 'leaseMs', isBroken: true, problem })
  }
  return found.filter(({ isBroken }) => isBroken)
}

interface Rule {
  readonly isBroken: boolean
  readonly path: string
  readonly problem: string
}

/** A token for OAUTHBEARER may come from the program, so its absence shows only when somebody connects. */
function loginRules({ kafka, registry, redis }: Unchecked): Rule[] {
  const { saslMechanism, saslUsername, saslPassword } = kafka
  const byPassword = saslMechanism !== 'none' && saslMechanism !== 'oauthbearer'
  const needed = `is needed for kafka.saslMechanism ${saslMechanism}`
  return [
    { path: 'kafka.saslUsername', isBroken: byPassword && saslUsername === undefined, problem: needed },
    { path: 'kafka.saslPassword', isBroken: byPassword && saslPassword === undefined, problem: needed },
    {
      path: 'registry.password',
      isBroken: registry.username !== undefined && registry.password === undefined,
      problem: 'is needed with registry.username',
    },
    {
      path: 'registry.token',
      isBroken: registry.username !== undefined && registry.token !== undefined,
      problem: 'and registry.username exclude each other',
    },
    {
      path: 'redis.url',
      isBroken: redis.url?.includes(',') === true && !redis.cluster,
      problem: 'names several nodes: set redis.cluster, or name one',
    },
  ]
}

function certificateRules({ kafka, redis }: Unchecked): Rule[] {
  const together = (path: string, files: { sslCertFile?: string | undefined; sslKeyFile?: string | undefined }) => ({
    path: `${path}.sslCertFile`,
    isBroken: (files.sslCertFile === undefined) !== (files.sslKeyFile === undefined),
    problem: `and ${path}.sslKeyFile belong together`,
  })
  const isSecureRedis = redis.url?.startsWith('rediss:') ?? true
  return [
    together('kafka', kafka),
    together('redis', redis),
    {
      path: 'kafka.ssl',
      isBroken: !kafka.ssl && (kafka.sslCaFile ?? kafka.sslCertFile ?? kafka.sslServername) !== undefined,
      problem: 'must be true when certificates are given',
    },
    {
      path: 'redis.url',
      isBroken: !isSecureRedis && (redis.sslCaFile ?? redis.sslCertFile) !== undefined,
      problem: 'must begin with rediss:// when certificates are given',
    },
  ]
}
