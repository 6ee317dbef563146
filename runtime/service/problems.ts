/**
 * What keeps one agent of this process from consuming, by code: the same truth that `/ready` tells, for whoever looks at the process
 * from outside. It stands in manifests, which need the brokers, and in the lease, which needs the store: one of them gets through.
 */
import type { InstanceProblem } from '../../contracts/manifest.ts'
import { describeStandstill } from '../consume/standstill.ts'
import type { AgentStatus } from './agent-runner.ts'

/** A sentence by code; empty when nothing is wrong. */
export type Problems = Readonly<Partial<Record<InstanceProblem, string>>>

/** What the parts of a process say. */
export interface ProblemSources {
  readonly status: AgentStatus
  /** Servers that do not answer a part of the process. */
  readonly away: ReadonlySet<'the store' | 'the broker'>
  /** The store answers, but has lost its memory. */
  readonly isLost: boolean
  /** Records wait for a schema that cannot be loaded. */
  readonly missesSchema: boolean
  /** What recovery is doing. */
  readonly recovering: string | undefined
  /** Why records cannot be sent. */
  readonly sending: string | undefined
}

/** See the file's head. */
export function problemsOf({ status, away, isLost, missesSchema, recovering, sending }: ProblemSources): Problems {
  const { agent, isConsuming, isCutOff, failing, blocked, standstills } = status
  const paused = standstills.find(({ takesNothing }) => takesNothing !== null)
  const isWithoutBroker = isCutOff || away.has('the broker')
  return {
    ...(away.has('the store') && !isLost && recovering === undefined ? { store: 'the store does not answer' } : {}),
    ...(isWithoutBroker ? { broker: 'the brokers do not answer' } : {}),
    ...(missesSchema ? { registry: 'the registry does not answer, and records wait for a schema' } : {}),
    ...(recovering !== undefined || isLost ? { recovering: recovering ?? 'the store has lost its memory' } : {}),
    ...(failing === undefined ? {} : { failing }),
    ...(blocked > 0 ? { blocked: `the brokers refuse what ${blocked} handlings publish${because(sending)}` } : {}),
    ...(paused === undefined ? {} : { paused: describeStandstill(paused) }),
    ...(isConsuming || isWithoutBroker || recovering !== undefined ? {} : { consume: `${agent} does not consume` }),
  }
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`
}
