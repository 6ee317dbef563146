/** Draws a topology for a terminal: from the topics that flows begin with, through the agents. Each agent and topic is drawn once. */
import type { AgentShape } from '../../contracts/agent-shape.ts'
import { isPlatformAgent } from '../../contracts/manifest.ts'
import { outputKinds, topicsInOrder, type Output, type OutputKind, type Topology } from './topology.ts'

const MARKS: Readonly<Record<OutputKind, string>> = { always: '●', oneOf: '◇', maybe: '○' }
const NOTES: Readonly<Record<OutputKind, string>> = { always: '', oneOf: '  one of these', maybe: '  maybe' }

/** Several lines without a line break at the end. */
export function drawTopology(topology: Topology): string {
  const drawing = new Drawing(topology)
  // What is reached from an earlier topic is drawn below it; a circle begins where it comes first.
  for (const topic of topicsInOrder(topology))
    if (!drawing.hasDrawn(topic)) drawing.topic({ topic, kind: 'always' }, '', '')
  return drawing.lines.join('\n')
}

class Drawing {
  readonly lines: string[] = []
  readonly #topology: Topology
  readonly #drawn = new Set<string>()

  constructor(topology: Topology) {
    this.#topology = topology
  }

  hasDrawn(topic: string): boolean {
    return this.#drawn.has(`topic ${topic}`)
  }

  topic({ topic, kind }: Output, lead: string, below: string): void {
    const isAgain = this.#isAgain(`topic ${topic}`)
    const consumers = this.#topology.agents.filter((agent) => agent.topics.includes(topic))
    const text = `${lead}${MARKS[kind]} ${topic}${NOTES[kind]}`
    this.lines.push(isAgain && consumers.length > 0 ? `${text}  (drawn above)` : text + this.#edgeOf(topic))
    if (isAgain) return
    consumers.forEach((agent, index) => {
      const isLast = index === consumers.length - 1
      this.#agent(agent, topic, below + (isLast ? '└─ ' : '├─ '), below + (isLast ? '   ' : '│  '))
    })
  }

  #agent(agent: AgentShape, from: string, lead: string, below: string): void {
    const others = agent.topics.filter((topic) => topic !== from)
    const join = agent.isJoin ? `  joins it with ${others.join(', ')}` : ''
    const isAgain = this.#isAgain(`agent ${agent.name}`)
    const platform = isPlatformAgent(agent.name) ? '  platform' : ''
    this.lines.push(`${lead}${agent.name} ${agent.version}${join}${platform}${isAgain ? '  (drawn above)' : ''}`)
    if (isAgain) return
    const outputs = outputKinds(agent)
    outputs.forEach((output, index) => {
      const isLast = index === outputs.length - 1
      this.topic(output, below + (isLast ? '└─ ' : '├─ '), below + (isLast ? '   ' : '│  '))
    })
  }

  #isAgain(name: string): boolean {
    const isAgain = this.#drawn.has(name)
    this.#drawn.add(name)
    return isAgain
  }

  #edgeOf(topic: string): string {
    const contract = this.#topology.topics.get(topic)
    if (contract === undefined) return '  (no contract here)'
    return `${contract.isEntry === true ? '  entry' : ''}${contract.isEnd === true ? '  end' : ''}`
  }
}
