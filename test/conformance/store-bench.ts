/** What the store suites share: a store under test, fresh names and handlings, and short ways to ask for one transition. */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type {
  ClaimStore,
  HandlingRef,
  HandlingState,
  InputPosition,
  Store,
  Transition,
} from '../../runtime/ports/claim-store.ts'
import { uniqueName } from '../harness/unique-name.ts'

/** An implementation to test. */
export interface StoreUnderTest {
  /** A store as another process would open it; all of them see the same content. */
  open(): Store
  readonly tearDown?: () => Promise<void>
}

/** Long enough for every test, except those of expiry. */
const LONG = { dedupMs: 600_000, joinTtlMs: 600_000 }

export const ME = 'instance-a.1'
export const OTHER = 'instance-b.1'
export const POSITION: InputPosition = { topic: 'credit.application-received', partition: 3, offset: 2 ** 40 + 7 }

/** Two connections to one store under test. */
export class StoreBench {
  readonly mine: Store
  readonly others: Store

  constructor(underTest: StoreUnderTest) {
    this.mine = underTest.open()
    this.others = underTest.open()
  }

  async connect(): Promise<void> {
    await Promise.all([this.mine.connect(), this.others.connect()])
  }

  async close(): Promise<void> {
    await Promise.all([this.mine.close(), this.others.close()])
  }

  /** Claims of an agent that no other test uses. */
  claims(options: Partial<typeof LONG> = {}): ClaimStore {
    return this.mine.claimsOf(uniqueName('test.agent'), { ...LONG, ...options })
  }

  /** The claims of one agent as two processes see them. */
  bothClaims(): readonly [ClaimStore, ClaimStore] {
    const agent = uniqueName('test.agent')
    return [this.mine.claimsOf(agent, LONG), this.others.claimsOf(agent, LONG)]
  }
}

export function newRef(): HandlingRef {
  return { flowId: randomUUID(), handlingId: randomUUID() }
}

/** The only answer of a batch of one. */
export async function one<T>(answers: Promise<readonly T[]>): Promise<T> {
  const [answer, ...more] = await answers
  if (answer === undefined || more.length > 0) throw new Error('Expected one answer for one request')
  return answer
}

export function computedBy(owner: string, attempt: number, outputs: Buffer): HandlingState {
  return { state: 'computed', owner, attempt, position: POSITION, outputs }
}

/** What tests let the store note of a dead letter. */
export const NOTE = Buffer.from('why')

function noteIn({ unsettled }: Extract<HandlingState, { state: 'dead' }>): string {
  return `${unsettled?.note.toString()} ${unsettled?.owner.slice(9, 10) || 'nobody'}`
}

/** The state as words, for tables: `claimed a1`, `buried 1 why a`, `dead 2`. Outputs and notes are shown as text. */
export function describeState(state: HandlingState): string {
  const owner = 'owner' in state ? (state.owner === '' ? 'nobody' : state.owner.slice(9, 10)) : ''
  switch (state.state) {
    case 'claimed':
      return `claimed ${owner}${state.attempt}`
    case 'computed':
      return `computed ${owner}${state.attempt} ${state.outputs.toString()}`
    case 'handed':
      return `handed ${state.kind} ${state.attempt}`
    case 'dead':
      return state.unsettled === undefined ? `dead ${state.generation}` : `buried ${state.generation} ${noteIn(state)}`
    default:
      return state.state
  }
}

export function expectAccepted(transition: Transition, current: HandlingState): void {
  expect(transition).toEqual({ accepted: true, current })
}

export function expectRefused(transition: Transition, current: HandlingState): void {
  expect(transition).toEqual({ accepted: false, current })
}
