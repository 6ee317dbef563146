/** Errors of the broker, the registry, the store and the way to them. */
import type { ErrorDefinition } from './error-definition.ts'

/** See the file's head; part of `ERROR_TABLE`. */
export const SERVER_ERRORS = {
  LABAN_BROKER_UNAVAILABLE: {
    class: 'retry',
    message: 'Kafka at {brokers} cannot be reached: {problem}',
    cause: 'The brokers are down, the address is wrong, or the network is cut.',
    remedy: 'Check `brokers` with `laban doctor`; start the local stack with `npm run stack -- up`.',
    exit: 69,
  },
  LABAN_BROKER_LOGIN: {
    class: 'retry',
    message: 'Kafka at {brokers} does not let {user} in: {problem}',
    cause: 'User name, password or token are wrong, or the brokers do not offer this way to log in.',
    remedy:
      'Correct kafka.saslMechanism and the login of {user}; a secret in a file is read again at every connection.',
    exit: 77,
  },
  LABAN_BROKER_UNTRUSTED: {
    class: 'retry',
    message: 'No trusted connection to Kafka at {brokers}: {problem}',
    cause:
      'The certificate of the broker is signed by nobody whom this process trusts, is made out to another name or has expired; or the broker does not take the one of this process.',
    remedy:
      'Give the authority in kafka.sslCaFile, the name in the certificate in kafka.sslServername, and for mutual TLS kafka.sslCertFile and kafka.sslKeyFile.',
    exit: 77,
  },
  LABAN_BROKER_DENIED: {
    class: 'terminal',
    message: 'Kafka does not allow {user} to {operation} {resource}',
    cause: 'No ACL of the cluster grants it.',
    remedy: 'Grant {operation} on {resource} to {user}; `laban acl` prints every right that is needed.',
    exit: 77,
  },
  LABAN_BROKER_CLOCK: {
    class: 'retry',
    message: 'Kafka refuses records for {topic} because of their time: {problem}',
    cause:
      'The clock of this machine is further ahead of that of the brokers than the topic allows (message.timestamp.after.max.ms: one hour).',
    remedy: 'Set the clock of this machine, and keep it set (NTP). Records wait; work goes on by itself.',
    exit: 69,
  },
  LABAN_BROKER_REFUSED: {
    class: 'terminal',
    message: 'Kafka refused {operation} on {topic}: {problem}',
    cause: 'The topic does not exist, or a setting of the topic or the state of the group forbids it.',
    remedy: 'Run `laban doctor`; create topics with `laban topics apply`.',
  },
  LABAN_BROKER_MESSAGE_TOO_LARGE: {
    class: 'terminal',
    message: 'Record for {topic} has {bytes} bytes; the limit is {maxBytes}',
    cause: 'The encoded event is larger than its contract allows.',
    remedy: 'Publish less, or raise maxRecordBytes of {topic} in the topic table.',
  },
  LABAN_REGISTRY_UNAVAILABLE: {
    class: 'retry',
    message: 'Schema registry {url} cannot be reached: {problem}',
    cause: 'The registry is down, the address is wrong, or the network is cut.',
    remedy: 'Check `registry.url` with `laban doctor`. Records wait; nothing is dead-lettered for it.',
    exit: 69,
  },
  LABAN_REGISTRY_REFUSED: {
    class: 'retry',
    message: 'Schema registry {url} and this process do not trust each other: {problem}',
    cause: 'The login is wrong or may not do this, or the certificate is signed by nobody whom this process trusts.',
    remedy:
      'Correct registry.username and registry.password, or registry.token; the authority goes in registry.sslCaFile.',
    exit: 77,
  },
  LABAN_STORE_UNAVAILABLE: {
    class: 'retry',
    message: 'Redis at {url} cannot be used: {problem}',
    cause: 'Redis is down, full, loading or unreachable.',
    remedy: 'Check `redis.url` with `laban doctor`. Consumption pauses and resumes by itself.',
    exit: 69,
  },
  LABAN_STORE_REFUSED: {
    class: 'retry',
    message: 'Redis at {url} and this process do not trust each other: {problem}',
    cause: 'The login is wrong or may not do this, or the certificate is signed by nobody whom this process trusts.',
    remedy:
      'Correct redis.username and redis.password; the authority goes in redis.sslCaFile. A secret in a file is read again at every connection.',
    exit: 77,
  },
  LABAN_STORE_LOST: {
    class: 'retry',
    message: 'Redis at {url} has lost what was stored there: {problem}',
    cause:
      'Redis was flushed, restarted without its data, restored from an old dump, or failed over to a replica that lagged.',
    remedy:
      'Nothing: what was lost is read back from the log, then work goes on; /ready and the log say how far it is. Run Redis with appendonly yes.',
    exit: 69,
  },
  LABAN_STORE_RECOVERING: {
    class: 'retry',
    message: '{agent} waits until what Redis does not know has been read back from the log: {progress}',
    cause: 'Redis is new, was flushed, or has lost data; no handler starts before the state of its event is back.',
    remedy:
      'Wait: it takes at most one lease and the reading of what the log holds of the last dedupMs. If it stands still, the log of the instance that reads says why.',
    exit: 69,
  },
  LABAN_STORE_UNSAFE: {
    class: 'startup',
    message: 'Redis at {url} could lose claims: {problem}',
    cause: 'Eviction or missing persistence lets Redis forget what was handled.',
    remedy: 'Set maxmemory-policy noeviction and appendonly yes, or accept it with redis.allowUnsafe.',
  },
  LABAN_LEDGER_UNAVAILABLE: {
    class: 'retry',
    message: 'The ledger at {url} cannot be used: {problem}',
    cause: 'PostgreSQL is down, full, starting or unreachable. The log keeps the facts meanwhile.',
    remedy:
      'Check `ledger.url` with `laban doctor`. The ledger goes on by itself where it stopped; flows can be read from the log.',
    exit: 69,
  },
  LABAN_LEDGER_REFUSED: {
    class: 'retry',
    message: 'The ledger at {url} does not let this process in: {problem}',
    cause:
      'User, password, database or rights are wrong, or the certificate is signed by nobody whom this process trusts.',
    remedy:
      'Correct ledger.url and ledger.password; the user needs the right to create the schema of the ledger. The authority goes in ledger.sslCaFile.',
    exit: 77,
  },
  LABAN_LEDGER_MISSING: {
    class: 'startup',
    message: 'There is no ledger: {problem}',
    cause: 'No database is configured for it, or `laban ledger run` has never been started on it.',
    remedy:
      'Set ledger.url (PostgreSQL) or ledger.dir (embedded), and start `laban ledger run`. Flows can be read from the log without.',
    exit: 78,
  },
  LABAN_LEDGER_NEWER: {
    class: 'startup',
    message: 'The tables of the ledger at {url} have version {found}; this laban knows {known}',
    cause: 'A newer laban has written there; tables are only ever changed forwards.',
    remedy: 'Run the newer laban, or another schema: set ledger.schema.',
    exit: 78,
  },
  LABAN_CONSUMER_STOPPED: {
    class: 'startup',
    message: 'The consumer of {agent} keeps stopping: {problem}',
    cause: 'The group membership ended with an error that does not pass, several times in ten minutes.',
    remedy: 'Read the problem; check rights and the state of the group with `laban doctor`. Restart the process.',
  },
} as const satisfies Record<string, ErrorDefinition>
