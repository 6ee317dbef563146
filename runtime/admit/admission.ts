/** One agent's view of the claim store: single questions and transitions, batched underneath, waiting while the store is away. */
import type {
  BuryRequest,
  ClaimRequest,
  ClaimStore,
  ComputeRequest,
  FinishRequest,
  From,
  HandedKind,
  HandlingRef,
  HandlingState,
  JoinAnswer,
  JoinRequest,
  JournalRequest,
  Transition,
} from '../ports/claim-store.ts'
import type { Clock } from '../ports/clock.ts'
import { Coalescer } from './coalescer.ts'

export interface AdmissionOptions {
  readonly claims: ClaimStore
  readonly clock: Clock
  readonly onAvailability: (isAvailable: boolean, error?: unknown) => void
  readonly signal: AbortSignal
}

type HandRequest = HandlingRef & { from: From; kind: HandedKind; attempt: number }
type SettleRequest = HandlingRef & { generation: number }
type ReleaseRequest = HandlingRef & { owner: string; attempt: number }

/** One question, or with `all` several that are answered together. */
type Asked<Request, Answer> = ((request: Request) => Promise<Answer>) & {
  readonly all: (requests: readonly Request[]) => Promise<readonly Answer[]>
}

const MAX_BATCH = 1_000

/** Methods as in {@link ClaimStore}, for one request each. They reject only at shutdown or when the store holds a newer format. */
export class Admission {
  readonly read: Asked<HandlingRef, HandlingState>
  readonly claim: (request: ClaimRequest) => Promise<Transition>
  readonly compute: Asked<ComputeRequest, Transition>
  readonly finish: Asked<FinishRequest, Transition>
  readonly hand: (request: HandRequest) => Promise<Transition>
  readonly bury: (request: BuryRequest) => Promise<Transition>
  readonly settle: (request: SettleRequest) => Promise<Transition>
  readonly release: (request: ReleaseRequest) => Promise<Transition>
  readonly join: (request: JoinRequest) => Promise<JoinAnswer>
  readonly writeJournal: (request: JournalRequest) => Promise<Transition>
  readonly readJournal: (ref: HandlingRef) => Promise<ReadonlyMap<string, Buffer>>

  constructor(options: AdmissionOptions) {
    const { claims } = options
    this.read = batched(options, (refs: readonly HandlingRef[]) => claims.read(refs))
    this.claim = batched(options, (requests: readonly ClaimRequest[]) => claims.claim(requests))
    this.compute = batched(options, (requests: readonly ComputeRequest[]) => claims.compute(requests))
    this.finish = batched(options, (requests: readonly FinishRequest[]) => claims.finish(requests))
    this.hand = batched(options, (requests: readonly HandRequest[]) => claims.hand(requests))
    this.bury = batched(options, (requests: readonly BuryRequest[]) => claims.bury(requests))
    this.settle = batched(options, (requests: readonly SettleRequest[]) => claims.settle(requests))
    this.release = batched(options, (requests: readonly ReleaseRequest[]) => claims.release(requests))
    this.join = batched(options, (requests: readonly JoinRequest[]) => claims.join(requests))
    this.writeJournal = batched(options, (requests: readonly JournalRequest[]) => claims.writeJournal(requests))
    this.readJournal = batched(options, (refs: readonly HandlingRef[]) => claims.readJournal(refs))
  }
}

function batched<Request, Answer>(
  options: AdmissionOptions,
  call: (requests: readonly Request[]) => Promise<readonly Answer[]>,
): Asked<Request, Answer> {
  const { clock, onAvailability, signal } = options
  const coalescer = new Coalescer<Request, Answer>({ call, clock, onAvailability, signal, maxBatch: MAX_BATCH })
  const ask = (request: Request): Promise<Answer> => coalescer.ask(request)
  return Object.assign(ask, { all: (requests: readonly Request[]) => coalescer.askAll(requests) })
}
