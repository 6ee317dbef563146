/**
 * What a run left behind, in the order in which it happened: the log with its facts, the committed offsets, and what the world outside
 * saw of handlers and their steps. Nothing else is judged.
 */
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../../contracts/contract.ts'
import type { EventCodec } from '../../../contracts/codec.ts'
import type { ContractSet } from '../../../contracts/contract-set.ts'
import { decodeEnvelope, type Envelope } from '../../../contracts/envelope.ts'
import type { Fact } from '../../../contracts/fact.ts'
import type { Manifest } from '../../../contracts/manifest.ts'
import type { JournalEntry } from '../../journal/entry-format.ts'
import type { BrokerRecord, OffsetCommit, TopicPartition } from '../../ports/broker.ts'

/** What the judge must know of an agent. */
export interface JudgedAgent {
  readonly name: string
  readonly topics: readonly string[]
  readonly isJoin: boolean
  readonly order: 'key' | 'none'
}

/** A record, with its place in the order of everything that was written. */
export interface PastRecord extends TopicPartition, BrokerRecord {
  readonly at: number
}

/** A record of an event topic. */
export interface PastEvent extends PastRecord {
  readonly envelope: Envelope
}

/** A fact, with its place in the order of everything that was written. */
export interface PastFact {
  readonly at: number
  readonly fact: Fact
}

/** An accepted commit. */
export interface PastCommit extends OffsetCommit {
  readonly at: number
  readonly group: string
}

/** A handler began. */
export interface PastRun {
  readonly at: number
  readonly agent: string
  readonly process: string
  readonly handlingId: string
  readonly flowId: string
  readonly attempt: number
  /**
   * True when its process owned the handling once, and another one owns it now: it stood still and has not heard of it. What it does
   * outside nobody can prevent, and nothing of it is accepted.
   */
  readonly isStray: boolean
}

/** The function of a step or an effect was called. */
export interface PastCall extends Omit<PastRun, 'attempt'> {
  readonly kind: 'step' | 'effect'
  readonly name: string
  /** Key of an effect. */
  readonly key: string | null
}

/** An entry of a journal, accepted by the store. */
export interface PastEntry {
  readonly at: number
  readonly agent: string
  readonly handlingId: string
  readonly entry: JournalEntry
}

/** The store lost its memory. */
export interface PastWipe {
  readonly at: number
  /** Epoch ms. */
  readonly atMs: number
}

/** See the file's head. */
export interface History {
  readonly agents: readonly JudgedAgent[]
  readonly events: readonly PastEvent[]
  readonly facts: readonly PastFact[]
  readonly manifests: readonly Manifest[]
  readonly commits: readonly PastCommit[]
  /** Records of topics that agents have for themselves: dead letters, journals, what waits. */
  readonly own: readonly PastRecord[]
  readonly runs: readonly PastRun[]
  readonly calls: readonly PastCall[]
  readonly entries: readonly PastEntry[]
  readonly wipes: readonly PastWipe[]
}

/** What is written and seen of a run, not decoded yet. */
export interface Written extends Pick<History, 'commits' | 'runs' | 'calls' | 'entries' | 'wipes'> {
  readonly records: readonly PastRecord[]
}

/** Decodes what was written. Every fact was written with a schema that this process knows. */
export function historyOf(
  { records, ...seen }: Written,
  { agents, contracts, codec }: { agents: readonly JudgedAgent[]; contracts: ContractSet; codec: EventCodec },
): History {
  const events: PastEvent[] = []
  const facts: PastFact[] = []
  const manifests: Manifest[] = []
  const own: PastRecord[] = []
  const decode = (record: PastRecord): unknown => {
    const decoded = codec.decode(record.topic, record.value, record)
    return 'value' in decoded ? decoded.value : undefined
  }
  for (const record of records) {
    if (record.topic === FACTS_TOPIC) facts.push({ at: record.at, fact: decode(record) as Fact })
    else if (record.topic === AGENTS_TOPIC) {
      if (record.value !== null) manifests.push(decode(record) as Manifest)
    } else if (contracts.has(record.topic) && !record.topic.startsWith('laban.')) {
      events.push({ ...record, envelope: decodeEnvelope(record.headers, record) })
    } else own.push(record)
  }
  return { ...seen, agents, events, facts, manifests, own }
}

/** Something that breaks an invariant. */
export interface Finding {
  /** `I1` to `I10` of the protocol, or `expect` for an assertion of the choreography's own. */
  readonly invariant: string
  readonly problem: string
  readonly flowId?: string
  /** Records that show it: `topic/partition@offset`. */
  readonly records?: readonly string[]
}

/** `topic/partition@offset` */
export function placeOf({ topic, partition, offset }: TopicPartition & { readonly offset: number }): string {
  return `${topic}/${partition}@${offset}`
}

/**
 * Whether two results of one handling are the exception that the protocol makes: one was computed before the store lost its memory and
 * stood nowhere else, so the handling ran again; nothing of either was on the log by then.
 */
export function isExceptionOfWipe(
  wipes: readonly PastWipe[],
  first: { readonly at: number; readonly madeAtMs: number },
  second: { readonly madeAtMs: number },
): boolean {
  const [fromMs, toMs] = [first.madeAtMs, second.madeAtMs].sort((left, right) => left - right)
  return wipes.some(({ at, atMs }) => at < first.at && atMs >= (fromMs ?? 0) && atMs <= (toMs ?? 0))
}

/** Facts after which an input is finished and needs nothing more. */
const ENDS: ReadonlySet<Fact['outcome']> = new Set([
  'completed',
  'rejected',
  'dead-lettered',
  'waiting',
  'late',
  'lost',
  'cancelled',
  'compensated',
])

/** Whether a fact says how its inputs ended. A `duplicate` does not: it says that they had ended before. */
export function isEnd(fact: Fact): boolean {
  return ENDS.has(fact.outcome)
}
