/** Rows of the error table about the console. */
import type { ErrorDefinition } from './error-definition.ts'

export const CONSOLE_ERRORS = {
  LABAN_CONSOLE_PORT: {
    class: 'startup',
    message: 'The console cannot listen on {address}: {problem}',
    cause: 'Another program, often another console, has the address, or it is not one of this machine.',
    remedy: 'Choose another port with --port, or 0 for any free one.',
    exit: 69,
  },
  LABAN_CONSOLE_PAGE: {
    class: 'startup',
    message: 'The page of the console cannot be made: {problem}',
    cause: 'A checkout makes the page when it is first needed, which needs the development dependencies.',
    remedy: 'Run `npm ci`, then `npm run build`, and look at what they print.',
    exit: 69,
  },
  LABAN_CONSOLE_HOST: {
    class: 'terminal',
    message: 'The console does not answer for {host}',
    cause:
      'The request came under a name that the console does not know: a proxy, or a page that misuses a name service.',
    remedy: 'Open it as 127.0.0.1 or localhost, or add the name to console.allowedHosts.',
  },
  LABAN_CONSOLE_ORIGIN: {
    class: 'terminal',
    message: 'The console does not answer pages of {origin}',
    cause: 'A page of another address asked the console for data.',
    remedy: 'Use the page that the console itself serves.',
  },
  LABAN_CONSOLE_NOT_FOUND: {
    class: 'terminal',
    message: 'The console has nothing at {path}',
    cause: 'The address is misspelled, or belongs to another version.',
    remedy: 'Begin at the first page.',
  },
  LABAN_CONSOLE_ACTIONS_OFF: {
    class: 'terminal',
    message: 'This console only reads',
    cause: 'Redrive, edit and discard need an operator token, and a log that can be written to.',
    remedy: 'Start it with LABAN_CONSOLE_OPERATOR_TOKEN (at least 16 characters), on `laban dev` or Kafka.',
  },
  LABAN_CONSOLE_TOKEN: {
    class: 'terminal',
    message: 'The operator token is missing or wrong',
    cause: 'The action came without the token that this console was started with.',
    remedy: 'Enter the token of console.operatorToken.',
  },
  LABAN_RECORD_GONE: {
    class: 'terminal',
    message: 'There is no record at {place}',
    cause: 'The topic has forgotten it (retention, compaction), or it was never there.',
    remedy:
      'Keep the topic longer with its `retention`, or its records with its `archive`, in the topic table; facts tell that the event was there.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>
