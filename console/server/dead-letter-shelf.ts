/** Dead letters of all agents, read again only when something was added to their topics. */
import { agentTopic } from '../../contracts/index.ts'
import { agentsWithDeadLetters, readDeadLetters, type DeadLetter, type Stack } from '../../runtime/internal.ts'

/** See the file's head. */
export class DeadLetterShelf {
  readonly #broker: Stack['broker']
  readonly #shelves = new Map<string, { readonly ends: string; readonly letters: Promise<readonly DeadLetter[]> }>()

  constructor({ broker }: Pick<Stack, 'broker'>) {
    this.#broker = broker
  }

  /** Every dead letter of every agent, by agent. */
  async all(): Promise<ReadonlyMap<string, readonly DeadLetter[]>> {
    const agents = await agentsWithDeadLetters({ broker: this.#broker })
    return new Map(await Promise.all(agents.map(async (agent) => [agent, await this.of(agent)] as const)))
  }

  /** Those of one agent; it has a topic for them. */
  async of(agent: string): Promise<readonly DeadLetter[]> {
    const offsets = await this.#broker.admin.offsets(agentTopic(agent, 'dead-letter'))
    const ends = offsets.map(({ partition, startOffset, endOffset }) => `${partition}:${startOffset}-${endOffset}`)
    const now = ends.sort().join(' ')
    const known = this.#shelves.get(agent)
    if (known?.ends === now) return known.letters
    const letters = readDeadLetters({ broker: this.#broker }, agent)
    this.#shelves.set(agent, { ends: now, letters })
    try {
      return await letters
    } catch (error) {
      this.#shelves.delete(agent)
      throw error
    }
  }
}
