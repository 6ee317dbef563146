/** What running a dead letter once more would set in motion: the agent itself, and everybody who would hear of what it publishes. */
import type { Manifest } from '../../contracts/index.ts'
import type { DeadLetter } from '../../runtime/internal.ts'
import type { RedrivePreview } from '../api.ts'
import { producedBy } from './topology.ts'

/** The preview of one letter, from what is announced. Pure. */
export function previewRedrive(letter: DeadLetter, manifests: readonly Manifest[]): RedrivePreview {
  const alive = manifests.filter(({ state }) => state !== 'stopped')
  const isRunning = alive.some(({ agent }) => agent === letter.agent)
  return {
    agent: letter.agent,
    attempt: letter.attempts + 1,
    downstream: downstreamOf(letter.agent, isRunning ? alive : manifests),
    isRunning,
    notes: notesOf(letter, isRunning),
  }
}

function downstreamOf(agent: string, manifests: readonly Manifest[]): RedrivePreview['downstream'] {
  const reached = new Map<string, { agent: string; by: readonly string[]; distance: number }>()
  let front = new Set([agent])
  for (let distance = 1; front.size > 0; distance++) {
    const next = new Set<string>()
    const topics = new Set(manifests.filter((each) => front.has(each.agent)).flatMap(producedBy))
    for (const manifest of manifests) {
      const by = manifest.consumes.filter((topic) => topics.has(topic))
      if (by.length === 0 || manifest.agent === agent || reached.has(manifest.agent)) continue
      reached.set(manifest.agent, { agent: manifest.agent, by, distance })
      next.add(manifest.agent)
    }
    front = next
  }
  return [...reached.values()]
}

function notesOf({ status, agent }: DeadLetter, isRunning: boolean): readonly string[] {
  return [
    ...(isRunning ? [] : [`No instance of ${agent} is running; it happens when one starts.`]),
    ...(status === 'redriven' ? ['It has been redriven and has not ended yet; doing it twice runs it once.'] : []),
    ...(status === 'resolved' ? ['It has succeeded since: nothing will happen.'] : []),
    'Steps and effects that have a result keep it; they are not run again.',
    'Events of its key that wait behind it follow in their order.',
  ]
}
