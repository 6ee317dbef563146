/** What the trial simulates: the choreographies of services/ with events drawn and with their samples in turn, and agents that take steps and sleep. */
import { globSync, readFileSync } from 'node:fs'
import { discoverAgents } from '../../../cli/load-agents.ts'
import type { Agent } from '../../../runtime/agent.ts'
import type { SimulateOptions } from '../../../runtime/testing/simulation/simulate.ts'
import { testContracts } from '../../harness/world.ts'
import { steppingAgents } from '../../harness/stepping-agents.ts'

/** Agents, and the options that belong to them. */
export interface TrialScene {
  readonly agents: readonly Agent[]
  /** Options of the runs from a seed on. */
  readonly optionsFrom: (seed: number) => Pick<SimulateOptions, 'contracts' | 'events'>
}

/** Runs whose seeds share this share their events: every other such block uses samples where there are any. */
export const BLOCK = 25

const SAMPLES: Readonly<Record<string, readonly [topic: string, file: string]>> = {
  research: ['research.requested', 'services/research/sample/requests.jsonl'],
  documents: ['document.received', 'services/documents/sample/documents.jsonl'],
}

/** Names of what can be simulated. */
export const SCENES = ['credit', 'research', 'documents', 'steps'] as const

/** @throws LABAN_AGENT_NOT_FOUND for another name */
export async function openTrialScene(name: string): Promise<TrialScene> {
  if (name === 'steps') return { agents: steppingAgents(), optionsFrom: () => ({ contracts: testContracts }) }
  const agents = (await discoverAgents(globSync(`services/${name}/*.ts`), process.cwd())).map(({ agent }) => agent)
  const events = samplesOf(name)
  return {
    agents,
    optionsFrom: (seed) => (events.length === 0 || Math.floor(seed / BLOCK) % 2 === 0 ? {} : { events }),
  }
}

function samplesOf(name: string): { readonly topic: string; readonly value: unknown }[] {
  const [topic, file] = SAMPLES[name] ?? []
  if (topic === undefined || file === undefined) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => ({ topic, value: JSON.parse(line) as unknown }))
}
