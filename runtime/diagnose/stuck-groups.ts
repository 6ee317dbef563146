/** Sums up diagnoses by root cause. Rule: a flow counts once, at the weightiest root of its verdict. */
import type { Uuid } from '../../contracts/ids.ts'
import { rootsOf, standsStill, type Diagnosis, type Verdict } from '../../tracing/diagnose/verdict.ts'

/** One root cause and what it holds up. */
export interface StuckGroup {
  readonly cause: Verdict
  /** Flows that it holds up. */
  readonly flows: number
  /** Those among them that were not looked at: they look like others, most of which it holds up. */
  readonly alike: number
  /** Since when the oldest of them stands, epoch ms; null when unknown. */
  readonly sinceMs: number | null
  /** Some of them, the oldest first. */
  readonly examples: readonly Uuid[]
}

interface Member {
  readonly root: Verdict
  readonly flowId: Uuid | null
}

interface Group {
  readonly members: Member[]
  alike: number
}

const SHOWN_EXAMPLES = 3
/** Flows of a group that are looked at again. */
const MOST_DOUBTED = 3

/** See the file's head. */
export class StuckGroups {
  looked = 0
  moving = 0
  readonly #groups = new Map<string, Group>()

  /** Enters flows that look alike: diagnoses of some, and how many there are. */
  add(diagnoses: readonly Diagnosis[], count: number): void {
    const tally = new Map<Group | undefined, number>()
    for (const diagnosis of diagnoses) {
      const group = this.#enter(diagnosis)
      tally.set(group, (tally.get(group) ?? 0) + 1)
    }
    this.looked += diagnoses.length
    const [most] = [...tally].sort(([, a], [, b]) => b - a)
    const others = Math.max(0, count - diagnoses.length)
    if (most?.[0] === undefined) this.moving += others
    else most[0].alike += others
  }

  /** Enters one flow whose root is known. */
  addRoot(root: Verdict, flowId: Uuid | null): void {
    this.#groupOf(root).members.push({ root, flowId })
  }

  /**
   * Looks again at the oldest flows of groups whose cause may have held for a moment only; where none of them stands any more, the
   * group is taken for moving. A flow that cannot be read again is left as it was seen.
   */
  async doubt(isDoubtful: (root: Verdict) => boolean, standsStill: (flowId: Uuid) => Promise<boolean>): Promise<void> {
    for (const [name, { members, alike }] of this.#groups) {
      if (!members.every(({ root }) => isDoubtful(root))) continue
      const asked = sorted(members).slice(0, MOST_DOUBTED)
      const stand = await Promise.all(asked.map(async ({ flowId }) => flowId === null || (await standsStill(flowId))))
      if (stand.some(Boolean)) continue
      this.#groups.delete(name)
      this.moving += members.length + alike
    }
  }

  /** The oldest cause first. */
  list(): readonly StuckGroup[] {
    return [...this.#groups.values()]
      .flatMap(({ members, alike }) => {
        const byAge = sorted(members)
        const flows = [...new Set(byAge.flatMap(({ flowId }) => flowId ?? []))]
        const [first] = byAge
        if (first === undefined) return []
        const { root: cause } = first
        const examples = flows.slice(0, SHOWN_EXAMPLES)
        return [{ cause, flows: flows.length + alike, alike, sinceMs: cause.sinceMs, examples }]
      })
      .sort((a, b) => (a.sinceMs ?? 0) - (b.sinceMs ?? 0))
  }

  /** Undefined: it moves. */
  #enter({ verdict, flowId }: Diagnosis): Group | undefined {
    const root = rootsOf(verdict).find(standsStill)
    if (root === undefined) {
      this.moving++
      return undefined
    }
    this.addRoot(root, flowId)
    return this.#groupOf(root)
  }

  /** The same code at the same agent and topic. */
  #groupOf({ code, subject }: Verdict): Group {
    const name = [code, subject.agent, subject.topic].join(' ')
    const group = this.#groups.get(name) ?? { members: [], alike: 0 }
    this.#groups.set(name, group)
    return group
  }
}

/** The oldest first. */
function sorted(members: readonly Member[]): readonly Member[] {
  return members.toSorted((a, b) => (a.root.sinceMs ?? 0) - (b.root.sinceMs ?? 0))
}
