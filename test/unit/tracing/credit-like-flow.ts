/** Plays the traces of one credit-like flow: five agents, a fan-out to three and two joins, each hop in its own right. */
import type { Envelope } from '../../../contracts/envelope.ts'
import { deriveId, joinHandlingId, outputId, type Uuid } from '../../../contracts/ids.ts'
import type { EventTracer } from '../../../tracing/event-tracer.ts'

/** Agents of the flow. */
export const CREDIT_AGENTS = ['credit.score', 'credit.income', 'credit.fraud', 'credit.risk', 'credit.approval']

/** Each agent uses the tracer that `tracerOf` gives it, as if it ran in a process of its own. */
export function playCreditFlow(flowId: Uuid, tracerOf: (agent: string) => EventTracer): void {
  const send = tracerOf('publisher').startFlow('credit.application-received', flowId, flowId, 'loans.csv')
  send.end({ partition: 0, offset: 0 })
  const first = event('credit.application-received', { id: flowId, flowId, traceparent: send.traceparent })
  const score = handle('credit.score', [first], 'credit.score-calculated')
  const income = handle('credit.income', [first], 'credit.income-verified')
  const fraud = handle('credit.fraud', [first], 'credit.fraud-checked')
  const risk = handle('credit.risk', [score, income], 'credit.risk-assessed')
  handle('credit.approval', [fraud, risk], 'credit.decision-made')

  function handle(agent: string, inputs: readonly Envelope[], output: string): Envelope {
    const envelope = inputs.at(-1) ?? first
    const position = { topic: envelope.type, partition: 0, offset: 1, key: flowId }
    const members = inputs.length > 1 ? { members: inputs } : {}
    const process = tracerOf(agent).startProcess({
      ...position,
      ...members,
      agent,
      group: agent,
      instance: `${agent}-1`,
      envelope,
      attempt: 1,
    })
    const handlingId = inputs.length > 1 ? joinHandlingId(agent, flowId) : envelope.id
    const id = outputId(agent, handlingId, 'handle', output, '0')
    const sending = process.startSend(output, id, flowId)
    sending.end({ partition: 0, offset: 1 })
    process.end('completed')
    const causes = inputs.map((input) => input.id)
    const hop = 1 + Math.max(...inputs.map((input) => input.hop))
    return event(output, { id, flowId, causes, hop, traceparent: sending.traceparent })
  }
}

function event(type: string, parts: Pick<Envelope, 'id' | 'flowId'> & Partial<Envelope>): Envelope {
  return { type, source: 'test', time: new Date(0).toISOString(), causes: [], hop: 0, ...parts }
}

/** A flow id that no other test has. */
export function freshFlowId(): Uuid {
  return deriveId('credit-like-flow', String(process.pid), String(process.hrtime.bigint()))
}
