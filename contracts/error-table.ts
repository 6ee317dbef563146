/** The one table of error codes. A code is never reused; `docs/reference/errors.md` is generated from here. */
import type { ErrorDefinition } from './error-definition.ts'
import { CONSOLE_ERRORS } from './error-rows-console.ts'
import { CHECK_ERRORS } from './error-rows-check.ts'
import { HANDLING_ERRORS } from './error-rows-handling.ts'
import { SERVER_ERRORS } from './error-rows-servers.ts'

export const ERROR_TABLE = {
  // --- configuration and start-up ---
  LABAN_CONFIG_INVALID: {
    class: 'startup',
    message: 'Configuration is invalid: {path} from {origin}: {problem}',
    cause: 'A value in the configuration file, the environment or a flag does not fit the schema.',
    remedy: 'Correct {path} in {origin}; `laban config print` shows every value and where it came from.',
    exit: 78,
  },
  LABAN_CONFIG_UNKNOWN_KEY: {
    class: 'startup',
    message: 'Unknown configuration key {path} from {origin}{hint}',
    cause: 'A key is misspelled or belongs to another version.',
    remedy: 'Remove or correct {path} in {origin}; `laban config keys` lists the known ones.',
    exit: 78,
  },
  LABAN_AGENT_INVALID: {
    class: 'startup',
    message: 'Agent {agent} is not valid: {problem}',
    cause: 'The definition given to defineAgent() contradicts itself or the contracts.',
    remedy: 'Correct the definition of {agent}.',
    exit: 78,
  },
  LABAN_AGENT_NOT_FOUND: {
    class: 'startup',
    message: 'No agent in {file}: {problem}',
    cause: 'The file does not exist, or its default export is not made by defineAgent().',
    remedy: 'Give the path of a file whose default export is defineAgent({...}).',
    exit: 66,
  },
  LABAN_OFFLOAD_MISSING: {
    class: 'startup',
    message: 'There is no module {file} to run in threads',
    cause: 'The URL given to offload() leads to no file.',
    remedy: "Give the module's place relative to the agent file: new URL('./module.ts', import.meta.url).",
    exit: 66,
  },
  LABAN_AGENT_UNKNOWN: {
    class: 'startup',
    message: 'No agent is called {agent}{hint}',
    cause: 'No instance of this name has announced itself here, and no agent file of the configuration defines it.',
    remedy: 'List those that have with `laban agents --all`.',
    exit: 66,
  },
  LABAN_TOPIC_MISSING: {
    class: 'startup',
    message: 'Topic {topic} does not exist on the broker',
    cause: 'The topic was never created in this namespace.',
    remedy: 'Run `laban topics apply`.',
  },
  LABAN_TOPIC_IN_USE: {
    class: 'startup',
    message: 'No partitions were added to {topic}: {problem}, after waiting {timeoutMs} ms',
    cause: 'Events are still published to it, or an agent that reads it does not run or does not keep up.',
    remedy:
      'Stop publishing, see with `laban agents --all` that every agent that reads it runs, and try again; --drain-timeout-s waits longer.',
    exit: 75,
  },
  LABAN_SCHEMA_MISSING: {
    class: 'startup',
    message: 'The contract of {topic} is not registered under subject {subject}',
    cause: 'The contract was changed or added and not pushed to this registry.',
    remedy: 'Run `laban contracts push`.',
  },
  LABAN_FORMAT_TOO_NEW: {
    class: 'startup',
    message: '{what} carries format version {found}; this laban reads up to {known}',
    cause: 'A newer laban wrote it and has been rolled back.',
    remedy: 'Run a laban that knows version {found}, or move this agent to another namespace.',
  },
  // --- contracts ---
  LABAN_CONTRACT_INVALID: {
    class: 'startup',
    message: 'Contract {file} is not valid: {problem}',
    cause: 'The Avro schema or the topic table does not parse or breaks a contract rule.',
    remedy: 'Correct {file}.',
    exit: 78,
  },
  LABAN_CONTRACT_UNKNOWN_TOPIC: {
    class: 'terminal',
    message: 'No contract for topic {topic}{hint}',
    cause: 'The topic is misspelled, or its contract is not in the contracts folder.',
    remedy: 'Add an .avsc file and a row in the topic table, then run `laban generate`.',
  },
  LABAN_CONTRACT_INCOMPATIBLE: {
    class: 'startup',
    message: 'Contract of {topic} is incompatible with version {version} at {path}: {problem}',
    cause: 'The change breaks FULL_TRANSITIVE compatibility: old and new agents could not read each other.',
    remedy: 'Give added fields a default, keep types, or publish the change as {topic}.v2.',
    exit: 65,
  },
  LABAN_CONTRACT_DECODE: {
    class: 'terminal',
    message: 'Record {topic}/{partition}@{offset} cannot be decoded: {problem}',
    cause: 'The value is not Confluent-framed Avro, or its bytes do not fit the schema it names.',
    remedy: 'Find the producer by the record headers; inspect it with `laban dlq show`.',
  },
  LABAN_CONTRACT_UNKNOWN_SCHEMA: {
    class: 'terminal',
    message: 'Schema id {schemaId} is unknown to the registry',
    cause: 'The producer used another registry, or the id is garbage.',
    remedy: 'Find the producer by the record headers and point it at the registry of this namespace.',
  },
  LABAN_CONTRACT_VALIDATION: {
    class: 'terminal',
    message: 'Value for {topic} does not fit its contract at {path}: {problem}',
    cause: 'A field is missing, of another type, or out of range for the Avro schema.',
    remedy: 'Correct {path} in the code or data that makes the value.',
  },
  LABAN_CONTRACT_RULE: {
    class: 'terminal',
    message: 'Value for {topic} breaks rule {rule}: {expression}',
    cause: 'The value fits the schema but not a rule of the contract.',
    remedy: 'Correct the producer, or the rule in the topic table.',
  },
  LABAN_RULE_INVALID: {
    class: 'startup',
    message: 'Rule "{expression}" is not valid: {problem}',
    cause: 'The expression is not CEL, gives no boolean, or names a field that the contract does not have.',
    remedy: 'Correct the expression; the value is called `event`, as in `event.confidence >= 0.7`.',
    exit: 78,
  },
  LABAN_RULE_NOT_EVALUABLE: {
    class: 'terminal',
    message: 'Rule "{expression}" cannot be evaluated: {problem}',
    cause: 'The value has no such field here, the field is null, or its type does not fit the operator.',
    remedy: 'Guard it, as in `event.note != null && size(event.note) > 0`.',
  },
  ...SERVER_ERRORS,
  ...HANDLING_ERRORS,
  // --- found by laban check ---
  ...CHECK_ERRORS,
  // --- control: not failures ---
  LABAN_LEASE_LOST: {
    class: 'control',
    message: 'The claim on this work was lost',
    cause: 'The process was stalled or cut off longer than its lease; its work was taken over.',
    remedy: 'None: another instance does the work. If it recurs, look for blocked event loops.',
  },
  LABAN_PARTITION_REVOKED: {
    class: 'control',
    message: 'The partition of this work moved to another instance',
    cause: 'A rebalance, and the agent says onRevoke abort.',
    remedy: 'None: the instance that has the partition now does the work.',
  },
  LABAN_ATTEMPT_ENDED: {
    class: 'control',
    message: 'The time of this attempt is over',
    cause: 'The attempt took longer than timeoutMs of its agent.',
    remedy: 'Raise timeoutMs of the agent, or make the work faster.',
  },
  LABAN_SUSPENDED: {
    class: 'control',
    message: 'The attempt ends here: its handling sleeps, and goes on in a new attempt when the sleep is over',
    cause: 'The handler has called `sleep` for more than 5 s.',
    remedy: 'Let this error pass; put what must not happen twice into a step.',
  },
  LABAN_SHUTDOWN: {
    class: 'control',
    message: 'The process is shutting down',
    cause: 'SIGTERM or SIGINT.',
    remedy: 'None: unfinished work is taken up by another instance.',
  },
  // --- publishing and reading ---
  LABAN_PUBLISH_BAD_ROW: {
    class: 'terminal',
    message: '{file} row {row}, column {column}, field {field}: {problem}',
    cause: 'A value in the input file does not fit the contract field it is mapped to.',
    remedy: 'Correct the row, or the map; `--on-error skip` publishes the others.',
  },
  LABAN_PUBLISH_INPUT: {
    class: 'terminal',
    message: 'Cannot publish {file}: {problem}',
    cause: 'The input file or the map cannot be used.',
    remedy: 'Correct what is named, then publish again: rows already published change nothing.',
  },
  LABAN_TARGET_MISSING: {
    class: 'startup',
    message: 'There is nothing to talk to: {on} is not there',
    cause: 'No `laban dev` runs here, no brokers are configured, and no embedded run was recorded.',
    remedy:
      'Start one in another terminal with `laban dev`, or give --brokers; `laban demo` records a run that can be read.',
  },
  LABAN_WAIT_TIMEOUT: {
    class: 'retry',
    message: 'No {topic} in flow {flowId} within {timeoutMs} ms',
    cause: 'The flow did not reach this topic in time.',
    remedy: 'Run `laban flow {flowId}` to see where it is.',
  },
  LABAN_INIT_NOT_EMPTY: {
    class: 'terminal',
    message: '{dir} is not empty: it holds {found}',
    cause: '`laban init` writes into a new or empty folder unless it is told otherwise.',
    remedy: 'Name a new folder, or add --merge: files that exist stay as they are.',
    exit: 73,
  },
  LABAN_TEST_NOT_QUIET: {
    class: 'terminal',
    message: 'The choreography did not come to rest within {timeoutMs} ms: {open}',
    cause: 'In a test a handler waits for something that does not come, or agents answer each other without end.',
    remedy: 'Give the handler a double of what it waits for, look at `drawing()`, or raise timeoutMs.',
  },
  LABAN_SIMULATION_FAILED: {
    class: 'terminal',
    message: 'Simulation {seed} breaks {invariant}: {problem} (replay: {replay})',
    cause: 'Under the faults of this seed the choreography, or laban itself, broke an invariant or an expectation.',
    remedy: 'Replay it with {replay}; the details name the flow, its records and the faults that it takes.',
    exit: 1,
  },
  LABAN_SIMULATION_NO_EVENTS: {
    class: 'terminal',
    message: 'The simulation has no first events: {problem}',
    cause: 'Events are generated from the contracts of the topics that no agent writes; here that does not work.',
    remedy: 'Give events: `events` of simulate(), or --events <file> on the command line.',
    exit: 64,
  },
  LABAN_LOG_FILE: {
    class: 'terminal',
    message: 'Log file {file} cannot be used: {problem}',
    cause: 'The file of an embedded run is missing, is something else, or the disk does not take it.',
    remedy: 'Name a file below .laban/log that an embedded run has written; free the disk if it is full.',
    exit: 74,
  },
  LABAN_FLOW_NOT_FOUND: {
    class: 'terminal',
    message: 'No flow {flowId}',
    cause: 'No fact or event carries this id: it is misspelled, expired, or lives in another namespace.',
    remedy: 'List flows with `laban flows`.',
    exit: 66,
  },
  LABAN_UNMASK_REFUSED: {
    class: 'terminal',
    message: 'Fields that contracts mark as personal stay masked: {key} is not set',
    cause: '--unmask was given where the configuration does not allow it.',
    remedy: 'Whoever may read personal data here sets {key} to true in a configuration of their own.',
    exit: 77,
  },
  LABAN_DEAD_LETTER_NOT_FOUND: {
    class: 'terminal',
    message: 'No dead letter {id}',
    cause:
      'No agent here has a dead letter of this event: the id is misspelled, expired, or lives in another namespace.',
    remedy: 'List them with `laban dlq list --all`.',
    exit: 66,
  },
  ...CONSOLE_ERRORS,
  LABAN_USAGE: {
    class: 'terminal',
    message: '{problem}',
    cause: 'The command line is not complete or contradicts itself.',
    remedy: 'Run the command with --help.',
    exit: 64,
  },
  LABAN_INVARIANT: {
    class: 'bug',
    message: 'Invariant broken: {problem}',
    cause: 'A bug in laban.',
    remedy: 'Please report it with the log; the process stops without committing.',
  },
} as const satisfies Record<string, ErrorDefinition>

/** A row of the table. */
export type ErrorCode = keyof typeof ERROR_TABLE
