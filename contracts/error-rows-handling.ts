/** Errors of handlings, their steps and effects, retries and dead letters. */
import type { ErrorDefinition } from './error-definition.ts'

/** See the file's head; part of `ERROR_TABLE`. */
export const HANDLING_ERRORS = {
  LABAN_HANDLER_FAILED: {
    class: 'retry',
    message: 'Handler of {agent} failed: {problem}',
    cause: 'The agent function threw.',
    remedy: 'Read the cause; throw terminal() for input that can never succeed.',
  },
  LABAN_HANDLER_TIMEOUT: {
    class: 'retry',
    message: 'Handler of {agent} did not finish within {timeoutMs} ms',
    cause: 'The work took longer than the agent allows, or ignores its AbortSignal.',
    remedy: 'Raise timeoutMs of the agent, or make the work faster.',
  },
  LABAN_HANDLER_REJECTED: {
    class: 'terminal',
    message: 'Handler of {agent} cannot process this event: {problem}',
    cause: 'The agent threw terminal().',
    remedy: 'Inspect the dead letter and correct its cause before redriving.',
  },
  LABAN_HANDLER_OUTPUT: {
    class: 'terminal',
    message: 'Handler of {agent} broke its promise: {problem}',
    cause: 'What the handler published does not match what its `produces` says.',
    remedy: 'Correct the handler, or the `produces` of {agent}.',
  },
  LABAN_ATTEMPTS_EXHAUSTED: {
    class: 'terminal',
    message: 'Gave up after {attempts} attempts: {problem}',
    cause: 'Every attempt failed with an error that may pass.',
    remedy: 'Correct the cause of the last error, then redrive the dead letter.',
  },
  LABAN_RECORD_QUARANTINED: {
    class: 'terminal',
    message: 'Each of {deaths} processes of {agent} that ran this event died of it; the last was {instance}',
    cause:
      'The handler ends its process: it runs out of memory, loops without end so that the lease lapses, calls process.exit, or crashes in native code. The last time it ran alone.',
    remedy: 'Read the last log and exit status of {instance}, mend the handler, then redrive the dead letter.',
  },
  LABAN_OUTPUT_UNPUBLISHABLE: {
    class: 'terminal',
    message: 'Output {output} of {agent} cannot be published to {topic}: {problem}',
    cause: 'The broker has refused it for as long as an event may hold its lane, retry.laneMs of the agent.',
    remedy:
      'Mend the topic or the rights, then redrive the dead letter: the recorded outputs are published, the handler does not run again.',
  },
  LABAN_STEP_MISUSE: {
    class: 'terminal',
    message: 'Step {step} of {agent}: {problem}',
    cause: 'The handler calls its steps in a way that cannot be replayed.',
    remedy: 'Give every step of a handling a name of its own, and await each before the handler ends.',
  },
  LABAN_STEP_TIMEOUT: {
    class: 'retry',
    message: 'Step {step} of {agent} did not finish within {timeoutMs} ms',
    cause: 'The call took longer than its timeoutMs, or ignores its AbortSignal.',
    remedy: 'Raise timeoutMs of the step, give it a retry, or make the call faster.',
  },
  LABAN_STEP_RESULT: {
    class: 'terminal',
    message: 'The result of step {step} of {agent} cannot be kept: at {path}: {problem}',
    cause:
      'A result is kept as JSON; functions, symbols, instances of classes, and references in a circle have no form there.',
    remedy: 'Return plain data from the step: only what the handler needs of the answer.',
  },
  LABAN_STEP_RESULT_TOO_LARGE: {
    class: 'terminal',
    message: 'The result of step {step} of {agent} has {bytes} bytes; the limit is {maxBytes}',
    cause: 'The result is larger than what is kept in Redis, and no place for large results is configured.',
    remedy: 'Return less, raise steps.maxResultBytes, or set steps.resultsDir to a folder that all instances share.',
  },
  LABAN_STEP_RESULT_STORE: {
    class: 'retry',
    message: 'The folder {folder} for large results cannot be used: {problem}',
    cause: 'The folder of steps.resultsDir is missing, full, read-only or not reachable.',
    remedy: 'Mount or free the folder; the handling is tried again.',
    exit: 74,
  },
  LABAN_STEP_RESULT_MISSING: {
    class: 'terminal',
    message: 'The large result {id} of step {step} of {agent} is not there',
    cause: 'The file was removed, or this instance sees another folder than the one that wrote it.',
    remedy: 'Set steps.resultsDir to the same shared folder everywhere, restore the file, then redrive.',
  },
  LABAN_STEP_MISMATCH: {
    class: 'terminal',
    message: 'The steps of {agent} have changed: recorded [{recorded}], now [{current}]',
    cause: 'This handling was begun by another version of the agent, whose steps had other names or another order.',
    remedy: 'Deploy the recorded sequence and redrive; or set onStepMismatch restart, which runs the steps again.',
  },
  LABAN_EFFECT_OUTCOME_UNKNOWN: {
    class: 'terminal',
    message:
      'Whether effect {step} of {agent} has happened is unknown: begun at {begunAt}, its key {key} is no longer valid',
    cause:
      'The process died, or the call failed, between the begin of the effect and its answer, longer than keyValidForMs ago.',
    remedy: 'Look outside for the key. Give the effect a reconcile function, then redrive: it is asked first.',
  },
  LABAN_OUTBOX_MISSING: {
    class: 'retry',
    message: 'The outbox is not there: {problem}',
    cause: 'Its tables were never created in this database, or lie in another schema.',
    remedy: 'Call `migrate()` of the outbox once before, with the same `schema`, as a user who may create tables.',
  },
  LABAN_OUTBOX_VALUE: {
    class: 'terminal',
    message: 'What {source} publishes on {topic} cannot be kept with its transaction: at {path}: {problem}',
    cause: 'The value is kept as JSON; functions, symbols, and references in a circle have no form there.',
    remedy: 'Publish plain data.',
  },
  LABAN_AGENT_FAILING: {
    class: 'retry',
    message: '{agent} does not consume: {failed} of its last {ended} records failed; one is tried in {pauseS} s',
    cause:
      'Twenty records in a row, or most of the last hundred, ended in dead letters or retry topics: a bad version or a dead dependency.',
    remedy:
      'Read why with `laban dlq list --agent {agent}`, mend it and restart; the first record that succeeds lets it go on by itself.',
  },
} as const satisfies Record<string, ErrorDefinition>
