/**
 * Answers why a flow stands where it stands, and lists everything that stands still. Finds, observes and judges; whatever seems to
 * stand still is looked at twice, because the first look may have fallen between two steps of something that moves.
 */
import type { Uuid } from '../../contracts/ids.ts'
import { isLabanError } from '../../contracts/errors.ts'
import { isPlatformAgent, type Manifest } from '../../contracts/manifest.ts'
import { diagnose, unknownDiagnosis } from '../../tracing/diagnose/diagnose.ts'
import { verdictOf, type Diagnosis } from '../../tracing/diagnose/verdict.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import type { Store } from '../ports/claim-store.ts'
import type { FlowSource } from '../readback/flow-source.ts'
import type { LogSource } from '../readback/platform-records.ts'
import { isDoubtful } from './doubt.ts'
import { findSubject } from './find.ts'
import { Lookout, type LookoutOptions } from './lookout.ts'
import { observe } from './observe.ts'
import { findStuck, type StuckReport } from './stuck.ts'

/** What a diagnostician works with. */
export interface DiagnosticianOptions extends Pick<LookoutOptions, 'broker' | 'contracts' | 'clock'> {
  readonly source: FlowSource
  readonly codec: LogSource['codec']
  /** Opens the store; absent where claims cannot be asked about. */
  readonly store?: () => Promise<Store>
  /** True for a run that has ended: nothing of it can be alive. @default false */
  readonly isOver?: boolean
  /** Why schemas could not be loaded while the flow was read; asked after it was read. @default never */
  readonly registryProblem?: () => string | undefined
}

/** See the file's head. */
export interface Diagnostician {
  /**
   * The diagnosis of a flow id, event id, `topic/partition@offset`, beginning of a flow id, or record key.
   * @throws LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE when what a flow is read from cannot be read
   */
  why(id: string): Promise<Diagnosis>
  /** The diagnosis of a graph that has been read already. */
  ofGraph(graph: FlowGraph, eventId?: Uuid): Promise<Diagnosis>
  /** All that stands still, by root cause. */
  stuck(): Promise<StuckReport>
}

/** A diagnostician on an open log. */
export function createDiagnostician(options: DiagnosticianOptions): Diagnostician {
  const { source, clock } = options
  const ofGraph = async (graph: FlowGraph, eventId?: Uuid): Promise<Diagnosis> =>
    judge(options, lookoutOf(options, await source.manifests()), graph, eventId)
  return {
    ofGraph,
    async why(id) {
      try {
        const lookout = await newLookout(options)
        const first = await lookOnce(options, id, lookout)
        if (!isDoubtful(first)) return first
        return await lookOnce(options, id, await newLookout(options, lookout))
      } catch (error) {
        if (!isLabanError(error) || error.code !== 'LABAN_FORMAT_TOO_NEW') throw error
        return newerFormat(error.message, error.remedy, clock.nowMs())
      }
    },
    async stuck() {
      const lookout = await newLookout(options)
      let later: Promise<Lookout> | undefined
      return findStuck({
        source,
        lookout,
        judge: (graph) => judge(options, lookout, graph),
        judgeAgain: async (flowId) => {
          later ??= newLookout(options, lookout)
          return judge(options, await later, await source.flow(flowId, { fromLog: true }))
        },
      })
    },
  }
}

/** Looks with fresh eyes: nothing is remembered from an earlier look. */
async function newLookout(options: DiagnosticianOptions, earlier?: Lookout): Promise<Lookout> {
  return lookoutOf(options, await options.source.manifests(), earlier)
}

/** laban's own agents are nobody's reason to stand still. */
function lookoutOf(options: DiagnosticianOptions, announced: readonly Manifest[], earlier?: Lookout): Lookout {
  const store = options.isOver === true ? undefined : options.store
  const manifests = announced.filter(({ agent }) => !isPlatformAgent(agent))
  return new Lookout({ ...options, manifests, store }, earlier)
}

async function lookOnce(options: DiagnosticianOptions, id: string, lookout: Lookout): Promise<Diagnosis> {
  const { source, clock, codec, broker, contracts } = options
  const found = await findSubject({ source, log: { codec, broker, contracts } }, id)
  if (found === undefined) {
    const topics = [...contracts.topics.keys()]
    return unknownDiagnosis(id, clock.nowMs(), [`facts, and the headers of ${topics.length} topics`])
  }
  const diagnosis = await judge(options, lookout, found.graph, found.eventId)
  if (found.others.length === 0) return diagnosis
  return {
    ...diagnosis,
    unseen: [
      ...diagnosis.unseen,
      `${found.others.length} more flows fit ${id}: ${found.others.slice(0, 3).join(', ')}`,
    ],
  }
}

async function judge(
  options: DiagnosticianOptions,
  lookout: Lookout,
  graph: FlowGraph,
  eventId?: Uuid,
): Promise<Diagnosis> {
  const seen = await observe(lookout, graph, {
    isOver: options.isOver === true,
    registryProblem: options.registryProblem?.(),
  })
  return diagnose(graph, seen, eventId === undefined ? {} : { eventId })
}

function newerFormat(message: string, remedy: string, nowMs: number): Diagnosis {
  const sentence = message.replace(/\.$/, '')
  return {
    ...unknownDiagnosis('', nowMs, []),
    verdict: verdictOf({
      code: 'version-mismatch',
      subject: {},
      sentence,
      evidence: [{ name: 'remedy', value: remedy, seenIn: 'this process' }],
      next: 'laban --version',
    }),
  }
}
