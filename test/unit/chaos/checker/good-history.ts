/** A run in which all is well, small enough to be spoilt in one place: what the checker must then find is what was done to it. */
import type {
  CheckedAgent,
  Choreography,
  History,
  LogEvent,
  LogFact,
  OutsideCall,
} from '../../../chaos/checker/history.ts'

/** The same with lists that a test may change. */
export type Spoilable = { -readonly [K in keyof History]: History[K] extends readonly (infer T)[] ? T[] : never }

const FLOWS = 3
/** Time between two things that happen in a flow. */
const TICK_MS = 100
const PID = 7

function agent(name: string, topics: readonly string[], more: Partial<CheckedAgent>): CheckedAgent {
  return { name, topics, isJoin: false, always: [], oneOf: [], maybe: [], inOrder: {}, ...more }
}

/** `start` is split into `left` and `right`, which are joined, after which a coin is thrown. */
export const choreography: Choreography = {
  firstTopic: 'start',
  flows: FLOWS,
  agents: [
    agent('splitter', ['start'], { always: ['left', 'right'], inOrder: { start: 'left' } }),
    agent('joiner', ['left', 'right'], { isJoin: true, always: ['joined'] }),
    agent('chooser', ['joined'], { oneOf: ['yes', 'no'], maybe: ['remark'] }),
  ],
}

/** Flow `n` has events `start-n`, `left-n`, `right-n`, `joined-n` and `yes-n`, at offset n of partition 0 of these topics. */
export function goodHistory(): Spoilable {
  const flows = Array.from({ length: FLOWS }, (_, flow) => flow)
  return {
    events: flows.flatMap(eventsOf),
    handedOver: [],
    deadLetters: [],
    facts: flows.flatMap(factsOf),
    results: flows.flatMap((flow) =>
      ['model', 'charge'].map((step, index) => ({
        ...{ agent: 'splitter', handlingId: `start-${flow}`, step },
        atMs: timeOf(flow, 2 + 2 * index),
      })),
    ),
    samples: [
      { agent: 'splitter', topic: 'start', partition: 0, offset: 1, metadata: '', seenAtMs: timeOf(0, 9) },
      { agent: 'splitter', topic: 'start', partition: 0, offset: FLOWS, metadata: '', seenAtMs: timeOf(FLOWS, 9) },
    ],
    calls: flows.flatMap(callsOf),
    interruptions: [],
  }
}

function timeOf(flow: number, tick: number): number {
  return 1_000_000 + flow * 10 * TICK_MS + tick * TICK_MS
}

function eventsOf(flow: number): LogEvent[] {
  const at = (topic: string, source: string, causes: readonly string[], tick: number): LogEvent => ({
    ...{ topic, partition: 0, offset: flow, id: `${topic}-${flow}`, flowId: `flow-${flow}`, source },
    ...{ causes: causes.map((cause) => `${cause}-${flow}`), key: 'lane', content: topic, atMs: timeOf(flow, tick) },
  })
  return [
    at('start', 'publish', [], 0),
    at('left', 'splitter', ['start'], 6),
    at('right', 'splitter', ['start'], 6),
    at('joined', 'joiner', ['left', 'right'], 8),
    at('yes', 'chooser', ['joined'], 9),
  ]
}

function factsOf(flow: number): LogFact[] {
  const fact = (of: string, handling: string, inputs: readonly string[], outputs: readonly string[]): LogFact => ({
    ...{ agent: of, outcome: 'completed', flowId: `flow-${flow}`, attempt: 1, atMs: timeOf(flow, 9) },
    handlingId: `${handling}-${flow}`,
    inputs: inputs.map((name) => `${name}-${flow}`),
    outputs: outputs.map((name) => `${name}-${flow}`),
  })
  return [
    { ...fact('publish', 'start', [], ['start']), outcome: 'published' },
    { ...fact('splitter', 'start', ['start'], ['left', 'right']), atMs: timeOf(flow, 7) },
    { ...fact('joiner', 'left', ['left'], []), outcome: 'waiting' },
    fact('joiner', 'join', ['left', 'right'], ['joined']),
    fact('chooser', 'joined', ['joined'], ['yes']),
  ]
}

function callsOf(flow: number): OutsideCall[] {
  const call = (what: string, tick: number, more: Partial<OutsideCall>): OutsideCall => ({
    ...{ what, eventId: `start-${flow}`, pid: PID, atMs: timeOf(flow, tick), key: '', isApplied: true, told: '' },
    ...more,
  })
  return [call('begin', 0, {}), call('model', 1, {}), call('charge', 3, { key: `key-${flow}`, told: `answer-${flow}` })]
}
