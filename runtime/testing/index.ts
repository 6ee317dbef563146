/** The public entry point `laban/testing`: agents and choreographies in memory, for tests with any test runner. No logic. */
export * from './choreography.ts'
export type { GivenEvent } from './narrator.ts'
export type { DeadLetter, RecordedEvent } from './recorder.ts'
export { simulate, type SimulateOptions } from './simulation/simulate.ts'
