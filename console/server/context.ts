/** What all answers of the console are made from. */
import type { EventCodec } from '../../contracts/index.ts'
import type { Diagnostician, FlowSource, Logger, Stack } from '../../runtime/internal.ts'
import type { DeadLetterShelf } from './dead-letter-shelf.ts'
import type { KeptAnswers } from './kept-answers.ts'

/** Shared by all routes of one console. */
export interface ConsoleContext {
  readonly stack: Pick<Stack, 'broker' | 'contracts' | 'clock' | 'config'>
  readonly codec: EventCodec
  readonly source: FlowSource
  readonly diagnostician: Diagnostician
  readonly log: Logger
  readonly kept: KeptAnswers
  readonly shelf: DeadLetterShelf
}
