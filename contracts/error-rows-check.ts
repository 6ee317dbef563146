/** What `laban check` finds in a choreography before anything runs. Never thrown: each is reported with the file that it is about. */
import type { ErrorDefinition } from './error-definition.ts'

/** See the file's head; part of `ERROR_TABLE`. */
export const CHECK_ERRORS = {
  LABAN_CHECK_DUPLICATE_AGENT: {
    class: 'startup',
    message: 'Agent {agent} is defined twice: here and in {other}',
    cause: 'An agent name is a consumer group: two agents of one name would take events from each other.',
    remedy: 'Rename one of them.',
  },
  LABAN_CHECK_NAME_CLASH: {
    class: 'startup',
    message: 'The {kind} {name} of {agent} is also {other}',
    cause: 'Agents have topics and consumer groups of their own, named after them.',
    remedy: 'Rename {agent}, or the other.',
  },
  LABAN_CHECK_NO_PRODUCER: {
    class: 'terminal',
    message: '{agent} consumes {topic}, which no agent produces',
    cause: 'The topic is misspelled, its producer was removed, or its events come from outside.',
    remedy:
      'Correct the topic; or, where its events come from outside, say "entry": true in its row of the topic table.',
  },
  LABAN_CHECK_NO_CONSUMER: {
    class: 'terminal',
    message: '{agent} produces {topic}, which no agent consumes',
    cause: 'The topic is misspelled, its consumer was removed, or flows end there.',
    remedy: 'Correct the topic; or, where flows end there, say "end": true in its row of the topic table.',
  },
  LABAN_CHECK_UNUSED_TOPIC: {
    class: 'terminal',
    message: '{topic} has a contract, but no agent consumes or produces it',
    cause: 'The contract was left behind, or its agents are not among those that were checked.',
    remedy: 'Remove the row from the topic table, or check all agents together.',
  },
  LABAN_CHECK_PERSONAL_KEY: {
    class: 'terminal',
    message: '{topic} is keyed by {field}, which its contract marks as personal',
    cause:
      'Record keys are not masked: they stand on the log, in facts, in the ledger and on every page that shows a flow.',
    remedy:
      'Key {topic} by a field that is not personal, such as an opaque id; or drop `key`, and the flow id is the key.',
  },
  LABAN_CHECK_FOREIGN_PRODUCER: {
    class: 'terminal',
    message: '{agent} produces {topic} of {owner}, which is for {producers} to produce',
    cause: "The topic's contract names its producers, and this agent is none of them.",
    remedy: "Let its owner, {owner}, add {agent} to the topic's producers, or publish to a topic of your own.",
  },
  LABAN_CHECK_ENDLESS: {
    class: 'terminal',
    message: 'A flow never ends once it reaches {topic}: {cycle}',
    cause: 'Each agent of the circle always publishes the event that the next one reacts to.',
    remedy: 'Give one of them a way out: oneOf or maybe instead of always, or an accepts rule.',
  },
  LABAN_CHECK_CYCLE: {
    class: 'terminal',
    message: 'Agents answer each other: {cycle}',
    cause: 'The circle has a way out, so it may be meant; nothing limits how often a flow goes round.',
    remedy: 'Make sure that an event counts the rounds and some rule ends them.',
  },
  LABAN_CHECK_JOIN_APART: {
    class: 'terminal',
    message: '{agent} joins {topics}, but no flow can have them all: {problem}',
    cause: 'A join takes its members from one flow, and a flow begins with one event.',
    remedy: 'Consume topics that descend from one first event, or handle them one by one instead of joining.',
  },
  LABAN_CHECK_JOIN_EITHER: {
    class: 'terminal',
    message: '{agent} joins {topics}, of which {producer} publishes only one',
    cause: 'They are alternatives in the oneOf of one agent, so a flow that it handles once has one of them.',
    remedy: 'Consume them as a list (any of them), or let {producer} always publish both.',
  },
  LABAN_CHECK_JOIN_RETENTION: {
    class: 'startup',
    message:
      '{agent} waits {withinMs} ms for the members of its join, but {topic} keeps its records only {retentionMs} ms',
    cause: 'A member could leave the log before the others have come.',
    remedy: 'Raise the retention of {topic}, or lower withinMs of {agent}.',
  },
  LABAN_CHECK_ACCEPTS: {
    class: 'startup',
    message: '{agent} accepts {topic} by a rule that cannot be used: {problem}',
    cause: 'The expression is not CEL, or speaks of a field that the contract does not have.',
    remedy: 'Correct the expression in `accepts` of {agent}.',
  },
} as const satisfies Record<string, ErrorDefinition>
