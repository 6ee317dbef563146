/** The public entry point `laban`: everything an agent file imports. No logic. */
export * from './agent.ts'
export type * from './context.ts'
export type * from './events.ts'
export * from './outcomes.ts'
export type { ErrorClass, ErrorCode, ErrorDetails, SerializedError } from '../contracts/errors.ts'
export { isLabanError, LabanError } from '../contracts/errors.ts'
