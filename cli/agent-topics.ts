/** What an agent consumes, from what it announced or, if it never ran here, from its file. */
import { didYouMean } from '../contracts/index.ts'
import { LabanError, readManifests } from '../runtime/internal.ts'
import { discoverAgents } from './load-agents.ts'
import { readingSource } from './reading-source.ts'
import type { OpenTarget } from './target.ts'

/** Topics that the agent reads. @throws LABAN_AGENT_UNKNOWN with the nearest name */
export async function topicsOfAgent(name: string, { stack, loaded }: OpenTarget): Promise<readonly string[]> {
  const manifests = await readManifests(readingSource(stack))
  const newest = manifests.filter(({ agent }) => agent === name).sort((a, b) => b.seenAtMs - a.seenAtMs)[0]
  if (newest !== undefined) return newest.consumes
  const files = await discoverAgents(loaded.config.agents, loaded.baseDir).catch(() => [])
  const found = files.find(({ agent }) => agent.name === name)
  if (found !== undefined) return found.agent.topics
  const names = new Set([...manifests.map(({ agent }) => agent), ...files.map(({ agent }) => agent.name)])
  throw new LabanError('LABAN_AGENT_UNKNOWN', { agent: name, hint: didYouMean(name, names) })
}
