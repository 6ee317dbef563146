/**
 * Facts as the credit choreography leaves them: real applications are run through the real agents in memory, and what they leave is
 * copied under new ids and offsets as often as a measurement needs.
 */
import { join } from 'node:path'
import { DEMO_TOPIC, readApplications } from '../../cli/demo/applications.ts'
import type { EventCodec } from '../../contracts/codec.ts'
import { FACTS_TOPIC } from '../../contracts/contract.ts'
import type { Fact } from '../../contracts/fact.ts'
import { deriveId, joinHandlingId, type Uuid } from '../../contracts/ids.ts'
import type { Manifest } from '../../contracts/manifest.ts'
import type { Agent } from '../../runtime/agent.ts'
import { createService, openCodec, openEmbedded, type Stack } from '../../runtime/compose.ts'
import { loadConfig } from '../../runtime/config/load.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { publisherOn } from '../../runtime/publisher.ts'
import { rangesOf, readFacts, readManifests } from '../../runtime/readback/platform-records.ts'
import { waitFor } from './wait.ts'

const projectDir = join(import.meta.dirname, '..', '..')
const AGENTS = ['credit-score', 'income-verification', 'fraud-detection', 'risk-assessment', 'final-approval']

/** What some applications have left on the log. */
export interface CreditRun {
  readonly stack: Stack
  readonly codec: EventCodec
  readonly manifests: readonly Manifest[]
  /** Facts of one flow each, in the order of the log. */
  readonly flows: readonly (readonly Fact[])[]
}

/** Runs the sample's applications and returns when nothing more is to come. */
export async function runCredit(): Promise<CreditRun> {
  const { config } = loadConfig({ cwd: projectDir, environment: {} })
  const stack = await openEmbedded({ config, log: silentLogger })
  const agents = await Promise.all(
    AGENTS.map(async (name) => {
      const module = (await import(join(projectDir, 'services', 'credit', `${name}.ts`))) as { default: Agent }
      return module.default
    }),
  )
  const service = await createService(stack, agents, {
    onFatal: (error) => {
      throw error
    },
  })
  await service.start()
  const publisher = await publisherOn(stack)
  const applications = await readApplications(
    stack,
    join(projectDir, 'services', 'credit', 'sample', 'applications.csv'),
  )
  const events = applications.map(({ flowId, value }) => ({ eventId: flowId, topic: DEMO_TOPIC, value }))
  await publisher.publishAll(events)
  const { codec } = await openCodec(stack)
  const source = { broker: stack.broker, codec, contracts: stack.contracts }
  const flows = await waitFor(
    async () => {
      const { facts } = await readFacts(source, await rangesOf(stack.broker, FACTS_TOPIC))
      const ended = facts.filter((fact) => fact.agent === 'credit.final-approval' && fact.outcome === 'completed')
      return ended.length === events.length && [...Map.groupBy(facts, (fact) => fact.flowId).values()]
    },
    { timeoutMs: 30_000, what: 'all sample applications to be decided' },
  )
  const manifests = await readManifests(source)
  await publisher.close()
  await service.stop()
  return { stack, codec, manifests, flows }
}

/** The same flow under other ids, `laterMs` later. */
export function copyFlow(facts: readonly Fact[], seed: string, laterMs: number): readonly Fact[] {
  const known = new Map<Uuid, Uuid>()
  const idOf = (id: Uuid): Uuid => {
    const copy = known.get(id) ?? deriveId('bench', seed, id)
    known.set(id, copy)
    return copy
  }
  return facts.map((fact) => ({
    ...fact,
    flowId: idOf(fact.flowId),
    handlingId:
      fact.handlingId === joinHandlingId(fact.agent, fact.flowId)
        ? joinHandlingId(fact.agent, idOf(fact.flowId))
        : idOf(fact.handlingId),
    startedAtMs: fact.startedAtMs + laterMs,
    endedAtMs: fact.endedAtMs + laterMs,
    inputs: fact.inputs.map((input) => ({
      ...input,
      eventId: idOf(input.eventId),
      causes: input.causes.map(idOf),
      recordedAtMs: input.recordedAtMs + laterMs,
    })),
    outputs: fact.outputs.map((output) => ({ ...output, eventId: idOf(output.eventId) })),
  }))
}
