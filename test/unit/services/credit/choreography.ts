/** Runs the credit agents on one application without a broker: every event goes through the codec, joins wait for their members. */
import { join } from 'node:path'
import type { Agent } from '../../../../runtime/agent.ts'
import type { HandlerContext } from '../../../../runtime/context.ts'
import { silentLogger } from '../../../../runtime/ports/logger.ts'
import { loadContracts } from '../../../../contracts/contract-set.ts'
import { createCodec } from '../../../../contracts/create-codec.ts'
import { createFolderRegistry } from '../../../../contracts/registry-folder.ts'
import { resolveSchemaIds } from '../../../../contracts/schema-ids.ts'
import creditScore from '../../../../services/credit/credit-score.ts'
import finalApproval from '../../../../services/credit/final-approval.ts'
import fraudDetection from '../../../../services/credit/fraud-detection.ts'
import incomeVerification from '../../../../services/credit/income-verification.ts'
import riskAssessment from '../../../../services/credit/risk-assessment.ts'

const AGENTS = [creditScore, incomeVerification, fraudDetection, riskAssessment, finalApproval]
const contracts = loadContracts({ dir: join(import.meta.dirname, '..', '..', '..', '..', 'contracts') })
const registry = createFolderRegistry(contracts)
const schemaIds = await resolveSchemaIds(contracts, registry, contracts.topics.keys(), {
  register: false,
  namespace: '',
})
const codec = createCodec({ contracts, registry, schemaIds })

/** An event of the flow. */
export interface Said {
  readonly topic: string
  readonly value: unknown
}

/** One flow; events are heard in the order in which they are given to `hear`. */
export class CreditFlow {
  /** Events that were said and not yet heard. */
  readonly pending: Said[] = []
  readonly said: Said[] = []
  private readonly members = new Map<string, Map<string, unknown>>()

  /** Says an event: what a reader gets after the wire. */
  say(topic: string, value: unknown): void {
    const decoded = codec.decode(topic, codec.encode(topic, value), { partition: 0, offset: this.said.length })
    const event = { topic, value: (decoded as { value: unknown }).value }
    this.said.push(event)
    this.pending.push(event)
  }

  /** Gives the pending event at an index to every agent that consumes it. */
  async hear(index = 0): Promise<void> {
    const [event] = this.pending.splice(index, 1)
    if (event === undefined) return
    for (const agent of AGENTS.filter(({ topics }) => topics.includes(event.topic))) {
      const input = agent.isJoin ? this.joined(agent, event) : event.value
      if (input !== undefined) await agent.handle(input, this.context(event.topic))
    }
  }

  /** Hears until nothing is pending; `pick` chooses the next of so many. */
  async run(pick: (count: number) => number = () => 0): Promise<void> {
    while (this.pending.length > 0) await this.hear(pick(this.pending.length))
  }

  /** The events that ended the flow. */
  get results(): readonly Said[] {
    return this.said.filter(({ topic }) => ['credit.decision-made', 'credit.review-requested'].includes(topic))
  }

  private joined(agent: Agent, { topic, value }: Said): unknown {
    const members = this.members.get(agent.name) ?? new Map<string, unknown>()
    this.members.set(agent.name, members.set(topic, value))
    return members.size === agent.topics.length ? Object.fromEntries(members) : undefined
  }

  private context(topic: string): HandlerContext {
    const publish = (to: string, value: unknown): string => {
      this.say(to, value)
      return ''
    }
    const { signal } = new AbortController()
    return {
      publish,
      step: async (_name, fn) => fn({ signal, tried: 1 }),
      effect: async (name, fn) => fn(name, { signal, tried: 1 }),
      sleep: () => Promise.resolve(),
      signal,
      log: silentLogger,
      agent: '',
      eventId: '',
      topic: topic as HandlerContext['topic'],
      flowId: '',
      causes: [],
      hop: 0,
      attempt: 1,
      deadlineAtMs: 0,
    }
  }
}
