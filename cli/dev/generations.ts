/** Runs agents in generations: after an edit the old service drains and the new one goes on with the same log and claims. */
import { pathToFileURL } from 'node:url'
import { describeUnknown, isAgent, LabanError, type Agent, type Logger, type Service } from '../../runtime/internal.ts'
import { urlOf } from './fresh-modules.ts'

export interface GenerationsOptions {
  /** Absolute paths of agent files, looked up anew for every generation. */
  readonly files: () => readonly string[]
  readonly start: (agents: readonly Agent[]) => Promise<Service>
  readonly log: Logger
  /** Told after each change of generation. */
  readonly onGeneration: (agents: readonly Agent[], service: Service) => void
}

/** One change at a time; agents that do not load, or cannot start, leave the generation before them as it was. */
export class Generations {
  readonly #options: GenerationsOptions
  #number = 0
  #agents: readonly Agent[] = []
  #service: Service | undefined
  #changing: Promise<void> = Promise.resolve()

  constructor(options: GenerationsOptions) {
    this.#options = options
  }

  get service(): Service | undefined {
    return this.#service
  }

  /** Loads the first generation. @throws what a file throws */
  async start(): Promise<void> {
    await this.#replace(await this.#load())
  }

  /** Loads the files again and replaces the running service; resolves when that is done or has failed. */
  reload(): Promise<void> {
    this.#changing = this.#changing.then(() => this.#reload())
    return this.#changing
  }

  async stop(): Promise<void> {
    await this.#changing
    await this.#service?.stop()
  }

  async #reload(): Promise<void> {
    const { log } = this.#options
    try {
      await this.#replace(await this.#load())
    } catch (error) {
      log.error('not reloaded; the agents go on as they were', { problem: describeUnknown(error) })
    }
  }

  async #replace(agents: readonly Agent[]): Promise<void> {
    const { start, onGeneration } = this.#options
    await this.#service?.stop()
    this.#service = undefined
    try {
      this.#service = await start(agents)
    } catch (error) {
      // What a start refuses shows only after the old agents have let go of the log: they take it up again.
      if (this.#agents.length > 0) this.#service = await start(this.#agents)
      throw error
    }
    this.#agents = agents
    onGeneration(agents, this.#service)
  }

  async #load(): Promise<Agent[]> {
    const generation = String(++this.#number)
    const modules = await Promise.all(
      this.#options
        .files()
        .map((file) => import(urlOf(pathToFileURL(file).href, generation)) as Promise<{ default?: unknown }>),
    )
    const agents = modules.map((module) => module.default).filter(isAgent)
    if (agents.length === 0) {
      throw new LabanError('LABAN_AGENT_NOT_FOUND', {
        file: 'agents',
        problem: 'no file that matches defines an agent',
      })
    }
    return agents
  }
}
