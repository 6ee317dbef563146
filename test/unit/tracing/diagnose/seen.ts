/** Observations for tests: everything is well unless a test says otherwise. */
import type { Manifest } from '../../../../contracts/manifest.ts'
import type {
  AgentSeen,
  HandlingSeen,
  LeaseSeen,
  Observations,
  PartitionSeen,
} from '../../../../tracing/diagnose/observations.ts'
import type { FlowGraph } from '../../../../tracing/flow-graph.ts'
import { EPOCH_MS } from '../story.ts'

/** Nobody knows anything of the handling. */
export const UNTOUCHED: HandlingSeen = {
  claim: { state: 'absent' },
  isInputFinished: false,
  steps: [],
  predecessor: null,
  runningAhead: 0,
  deadLetter: undefined,
}

/** A lease that was renewed a second ago. */
export const RENEWED: LeaseSeen = { remainingMs: 9_000, problems: {} }

/** An agent whose group is settled and recovered. */
export function wellAgent(parts: Partial<AgentSeen> = {}): AgentSeen {
  return {
    group: { state: 'Stable', members: 1 },
    retryGroup: { state: 'Stable', members: 1 },
    partitions: new Map(),
    usual: null,
    isRecovered: true,
    ...parts,
  }
}

/** A partition with five records of which none is handled. */
export function partitionSeen(parts: Partial<PartitionSeen> = {}): PartitionSeen {
  return { startOffset: 0, endOffset: 5, committed: 0, finishedAbove: 0, moved: 0, overMs: 1_300, ...parts }
}

/** What a test changes of a world in which everything is well. */
export interface Changes extends Partial<Observations> {
  readonly agent?: Partial<AgentSeen>
  /** Of every open handling. */
  readonly handling?: Partial<HandlingSeen>
  readonly lease?: LeaseSeen
  readonly manifest?: Partial<Manifest>
}

/** Ten seconds after the flow began all agents are alive. */
export function seenOf(graph: FlowGraph, manifests: readonly Manifest[], changes: Changes = {}): Observations {
  const { agent, handling, lease = RENEWED, manifest, ...rest } = changes
  const nowMs = EPOCH_MS + 10_000
  const alive = manifests.map((each) => ({ ...each, seenAtMs: nowMs - 2_000, ...manifest }))
  return {
    nowMs,
    manifests: alive,
    store: { state: 'ok' },
    registry: { state: 'unasked' },
    leases: new Map(alive.map(({ instance }) => [instance, lease])),
    agents: new Map(alive.map((each) => [each.agent, wellAgent(agent)])),
    handlings: new Map(graph.handlings.map(({ key }) => [key, { ...UNTOUCHED, ...handling }])),
    logStarts: new Map(),
    expectedWithinMs: new Map(),
    isOver: false,
    unseen: [],
    ...rest,
  }
}
