/** Does what was planned, each act at its time. Acts on one server follow each other; everything else may overlap. */
import { setTimeout as pause } from 'node:timers/promises'
import type { TimeSpan } from '../checker/figures.ts'
import type { Fleet, Tell } from '../scene/fleet.ts'
import type { OwnServer, OwnServers } from '../scene/own-servers.ts'
import type { Act, ActKind } from './plan.ts'

/** What the monkey may touch. */
export interface Playground {
  readonly fleet: Fleet
  readonly servers: OwnServers
  readonly tell: Tell
}

/** See the file's head. */
export class Monkey {
  /** How often each kind was done, not only planned. */
  readonly done = new Map<ActKind, number>()
  /** Times in which a server was away. */
  readonly outages: TimeSpan[] = []
  readonly #ground: Playground
  readonly #serverTurns = new Map<OwnServer, Promise<void>>()

  constructor(ground: Playground) {
    this.#ground = ground
  }

  /** Resolves when the last act is over: all processes run, all servers answer. @throws Error of an act that failed */
  async play(acts: readonly Act[], signal: AbortSignal): Promise<void> {
    const beganAtMs = Date.now()
    await Promise.all(
      acts.map(async (act) => {
        await pause(Math.max(0, beganAtMs + act.atMs - Date.now()), undefined, { signal })
        if (await this.#do(act)) this.done.set(act.kind, (this.done.get(act.kind) ?? 0) + 1)
      }),
    )
  }

  /** False: nobody was there to be taken. */
  async #do(act: Act): Promise<boolean> {
    const { fleet, servers, tell } = this.#ground
    const { kind, victim, forMs } = act
    switch (kind) {
      case 'kill':
        return fleet.kill(victim, forMs)
      case 'freeze':
        return fleet.freeze(victim, forMs)
      case 'restart':
        return fleet.restart(victim)
      case 'wipe':
        return this.#inTurn('redis', async () => {
          await servers.wipeRedis()
          tell('wiped redis')
        })
      case 'kafka':
      case 'redis':
      case 'registry':
        return this.#inTurn(kind, () => this.#takeAway(kind, act))
    }
  }

  async #takeAway(name: OwnServer, { isHard, forMs }: Act): Promise<void> {
    const { servers, tell } = this.#ground
    tell(`${isHard ? 'kill -9' : 'stop'} ${name}, away for ${forMs} ms`, await servers.pidOf(name))
    const fromMs = Date.now()
    await servers.end(name, isHard)
    await pause(forMs)
    await servers.begin(name)
    this.outages.push({ fromMs, untilMs: Date.now() })
    tell(`${name} answers again after ${Date.now() - fromMs} ms`)
  }

  async #inTurn(name: OwnServer, act: () => Promise<void>): Promise<boolean> {
    const turn = (this.#serverTurns.get(name) ?? Promise.resolve()).then(act)
    this.#serverTurns.set(name, turn)
    await turn
    return true
  }
}
