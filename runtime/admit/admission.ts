/** One agent's view of the claim store: single questions and transitions, batched underneath, waiting while the store is away. */
import { isLabanError } from '../../contracts/errors.ts'
import type { Uuid } from '../../contracts/ids.ts'
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
import { Holdings } from './holdings.ts'

export interface AdmissionOptions {
  readonly agent: string
  readonly claims: ClaimStore
  readonly clock: Clock
  readonly onAvailability: (isAvailable: boolean, error?: unknown) => void
  /** The store has lost its memory: whatever is asked waits until the claims have entered a new epoch. */
  readonly onLost?: () => void
  readonly signal: AbortSignal
}

type HandRequest = HandlingRef & { from: From; kind: HandedKind; attempt: number }
type SettleRequest = HandlingRef & { generation: number }
type ReleaseRequest = HandlingRef & { owner: string; attempt: number }

/** One question, or with `all` several that are answered together. */
type Asked<Request, Answer> = ((request: Request) => Promise<Answer>) & {
  readonly all: (requests: readonly Request[]) => Promise<readonly Answer[]>
}

type Call<Request, Answer> = (requests: readonly Request[]) => Promise<readonly Answer[]>
type Hear<Request, Answer> = (requests: readonly Request[], answers: readonly Answer[]) => void

const MAX_BATCH = 1_000

/** Methods as in {@link ClaimStore}, for one request each. They reject only at shutdown or when the store holds a newer format. */
export class Admission {
  /** What this process has come to hold in the store. */
  readonly holdings: Holdings
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
  readonly #claims: ClaimStore
  #epoch = ''

  constructor(options: AdmissionOptions) {
    const { claims, agent } = options
    this.#claims = claims
    const holdings = new Holdings(agent)
    this.holdings = holdings
    const ended = holdings.ended.bind(holdings)
    this.read = batched<HandlingRef, HandlingState>(options, (refs) => claims.read(refs))
    this.claim = batched<ClaimRequest, Transition>(options, (all) => claims.claim(all), holdings.claimed.bind(holdings))
    this.compute = batched(options, (all) => claims.compute(all), holdings.computed.bind(holdings))
    this.finish = batched<FinishRequest, Transition>(options, (all) => claims.finish(all), ended)
    this.hand = batched<HandRequest, Transition>(options, (all) => claims.hand(all), ended)
    this.bury = batched<BuryRequest, Transition>(options, (all) => claims.bury(all), holdings.buried.bind(holdings))
    this.settle = batched<SettleRequest, Transition>(options, (all) => claims.settle(all), ended)
    this.release = batched<ReleaseRequest, Transition>(options, (all) => claims.release(all), ended)
    this.join = batched(options, (all) => claims.join(all), holdings.joined.bind(holdings))
    this.writeJournal = batched(options, (all) => claims.writeJournal(all), holdings.journaled.bind(holdings))
    this.readJournal = batched<HandlingRef, ReadonlyMap<string, Buffer>>(options, (refs) => claims.readJournal(refs))
  }

  /** Names the memory of the store that answers now; another name means that it was lost in between. */
  get epoch(): string {
    return this.#epoch
  }

  /** Lets what waits go on in this epoch. */
  async enter(epoch: string): Promise<void> {
    this.#epoch = epoch
    await this.#claims.enter(epoch)
  }

  /** Resolves with {@link epoch} once the store has answered that it is in it. */
  async confirmedEpoch(flowId: Uuid): Promise<string> {
    await this.read({ flowId, handlingId: flowId })
    return this.#epoch
  }
}

function batched<Request, Answer>(
  options: AdmissionOptions,
  ask: Call<Request, Answer>,
  hear?: Hear<Request, Answer>,
): Asked<Request, Answer> {
  const { clock, onAvailability, onLost, signal } = options
  const call = async (requests: readonly Request[]): Promise<readonly Answer[]> => {
    try {
      const answers = await ask(requests)
      hear?.(requests, answers)
      return answers
    } catch (error) {
      if (isLabanError(error) && error.code === 'LABAN_STORE_LOST') onLost?.()
      throw error
    }
  }
  const coalescer = new Coalescer<Request, Answer>({ call, clock, onAvailability, signal, maxBatch: MAX_BATCH })
  const askOne = (request: Request): Promise<Answer> => coalescer.ask(request)
  return Object.assign(askOne, { all: (requests: readonly Request[]) => coalescer.askAll(requests) })
}
