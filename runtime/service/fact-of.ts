/** Makes the facts of one handling. */
import {
  FACT_FORMAT_VERSION,
  type Fact,
  type FactOutcome,
  type FactOutput,
  type FactStep,
} from '../../contracts/fact.ts'
import type { HandlingDeps } from './deps.ts'
import { factInput, type Work } from './work.ts'

/** What differs from fact to fact. */
export interface FactParts {
  readonly outcome: FactOutcome
  readonly attempt?: number
  readonly startedAtMs: number
  readonly error?: { readonly code: string; readonly message: string }
  readonly traceId?: string | null
  readonly spanId?: string | null
  readonly outputs?: readonly FactOutput[]
  readonly steps?: readonly FactStep[]
  readonly detail?: Readonly<Record<string, string>>
}

const MAX_ERROR_CHARS = 500

/** The fact of a handling, ended now. */
export function factOf(deps: HandlingDeps, work: Work, parts: FactParts): Fact {
  return {
    formatVersion: FACT_FORMAT_VERSION,
    outcome: parts.outcome,
    flowId: work.ref.flowId,
    agent: deps.agent.name,
    agentVersion: deps.agent.version,
    instance: deps.instance,
    handlingId: work.ref.handlingId,
    inputs: work.parts.map(factInput),
    attempt: parts.attempt ?? 1,
    startedAtMs: parts.startedAtMs,
    endedAtMs: deps.clock.nowMs(),
    errorCode: parts.error?.code ?? null,
    errorMessage: parts.error?.message.slice(0, MAX_ERROR_CHARS) ?? null,
    traceId: parts.traceId ?? null,
    spanId: parts.spanId ?? null,
    outputs: parts.outputs ?? [],
    steps: parts.steps ?? [],
    detail: parts.detail ?? {},
  }
}
