/** Draws a topology as a Mermaid flow chart: agents as boxes (laban's own leaning), topics as rounded ones, what may be published as dashed arrows. */
import { isPlatformAgent } from '../../contracts/manifest.ts'
import { outputKinds, topicsInOrder, type OutputKind, type Topology } from './topology.ts'

const ARROWS: Readonly<Record<OutputKind, string>> = { always: '-->', oneOf: '-. one of .->', maybe: '-. maybe .->' }

/** Several lines without a line break at the end. */
export function topologyMermaid(topology: Topology): string {
  const topics = topicsInOrder(topology)
  const idOf = new Map(topics.map((topic, index) => [topic, `t${index}`]))
  const lines = topics.map((topic) => `${idOf.get(topic)}(["${topic}"])`)
  topology.agents.forEach((agent, index) => {
    const id = `a${index}`
    lines.push(isPlatformAgent(agent.name) ? `${id}[/"${agent.name}, platform"/]` : `${id}["${agent.name}"]`)
    for (const topic of agent.topics) lines.push(`${idOf.get(topic)} ${agent.isJoin ? '-- join -->' : '-->'} ${id}`)
    for (const { topic, kind } of outputKinds(agent)) lines.push(`${id} ${ARROWS[kind]} ${idOf.get(topic)}`)
  })
  return ['flowchart LR', ...lines.map((line) => `  ${line}`)].join('\n')
}
