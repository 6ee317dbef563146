/** What every variant of the chain benchmark shares: contracts, names, sizes. research -> analysis -> report, handlers that do nothing. */
import avsc from 'avsc'
import { createContractSet, type ContractSet } from '../../contracts/contract-set.ts'

/** Topics of one run, in the order of the chain. */
export const CHAIN = ['bench.requested', 'bench.researched', 'bench.analysed', 'bench.reported'] as const

/** The agent that reads `CHAIN[index]` and writes `CHAIN[index + 1]`. */
export const STAGES = ['bench.research', 'bench.analysis', 'bench.report'] as const

const schema = {
  type: 'record',
  name: 'Paper',
  namespace: 'bench',
  fields: [
    { name: 'topic', type: 'string' },
    { name: 'text', type: 'string' },
    { name: 'confidence', type: 'double' },
    { name: 'sentAtMs', type: 'double', default: 0 },
  ],
}

/** The topics of the chain, each cut into so many partitions. */
export function chainContracts(partitions: number): ContractSet {
  return createContractSet(Object.fromEntries(CHAIN.map((topic) => [topic, { schema, owner: 'bench', partitions }])))
}

/** The codec of a raw loop: no registry, no resolution. */
export const paperType = avsc.Type.forSchema(schema as avsc.Schema)

/** A value of the chain. */
export interface Paper {
  readonly topic: string
  readonly text: string
  readonly confidence: number
  readonly sentAtMs: number
}

const TEXT = 'A sentence of plain words that stands for what an agent found out about its topic. '.repeat(3)

/** About 250 bytes of Avro. */
export function paper(index: number, sentAtMs: number): Paper {
  return { topic: `topic ${index}`, text: TEXT, confidence: 0.9, sentAtMs }
}

/** The handler that does nothing: the same text goes on. */
export function forward(value: Paper): Paper {
  return { topic: value.topic, text: value.text, confidence: value.confidence, sentAtMs: value.sentAtMs }
}

/** The variants by their letters. */
export const VARIANTS = {
  a: 'raw loop: unmodified kafkajs, Avro, eachBatch, one batched send per batch, acks all',
  b: 'laban, everything on, 1 % of flows traced',
  c: 'laban, everything on, 100 % traced',
  d: 'laban embedded',
  e: 'naive loop: eachMessage, awaited send',
} as const
export type Variant = keyof typeof VARIANTS
