/**
 * Draws a flow by groups for a terminal: as many lines as there are agents and topics, however many events. Each group is drawn once,
 * where the way from the first event reaches it first; members that need a look are named.
 */
import { durationText } from './duration-text.ts'
import { costText } from './flow-cost.ts'
import { footerLines, headerLines } from './flow-frame.ts'
import type { FlowEvent, FlowGraph, FlowHandling, FlowStatus } from './flow-graph.ts'
import type { EventGroup, FlowGroup, GroupLink, GroupMember, HandlingGroup, Spread } from './flow-groups.ts'
import { FlowGroups } from './group-flow.ts'
import {
  BOLD,
  branchOf,
  detailsOf,
  DIM,
  handlingWords,
  MARKS,
  painter,
  PAINTS,
  shortId,
  type Painter,
} from './handling-words.ts'

/** How to draw. */
export interface GroupsOptions {
  /** ANSI colours. @default false */
  readonly colors?: boolean
  /** Agents and topics whose members are listed one by one; what matches neither is passed over. @default none */
  readonly expand?: readonly string[]
  /** Members listed of each of them. @default 50 */
  readonly maxMembers?: number
  /** More lines below an event that is listed, for example its body. @default none */
  readonly eventLines?: (event: FlowEvent) => readonly string[]
}

/** The drawing, several lines without a line break at the end. */
export function renderGroups(graph: FlowGraph, options: GroupsOptions = {}): string {
  const paint = painter(options.colors ?? false)
  const drawing = new GroupsDrawing(new FlowGroups(graph), paint, options)
  return [...headerLines(graph, paint), '', ...drawing.lines(), '', ...footerLines(graph, paint)].join('\n')
}

const CRITICAL = 35
const STATUS_ORDER: readonly FlowStatus[] = ['completed', 'processing', 'pending', 'waiting', 'stuck', 'failed']
const NUMBER = new Intl.NumberFormat('en')

class GroupsDrawing {
  readonly #groups: FlowGroups
  readonly #byId: ReadonlyMap<string, FlowGroup>
  readonly #below: ReadonlyMap<string, readonly GroupLink[]>
  readonly #paint: Painter
  readonly #options: GroupsOptions
  readonly #lines: string[] = []
  readonly #drawn = new Set<string>()

  constructor(groups: FlowGroups, paint: Painter, options: GroupsOptions) {
    this.#groups = groups
    this.#paint = paint
    this.#options = options
    this.#byId = new Map(groups.overview.groups.map((group) => [group.id, group]))
    this.#below = Map.groupBy(groups.overview.links, (link) => link.from)
  }

  lines(): readonly string[] {
    const { groups, links } = this.#groups.overview
    const reached = new Set(links.map((link) => link.to))
    for (const group of groups) if (!reached.has(group.id)) this.#group(group, '', '')
    // What only a loop reaches begins where it comes first.
    for (const group of groups) if (!this.#drawn.has(group.id)) this.#group(group, '', '')
    return this.#lines
  }

  #group(group: FlowGroup, lead: string, below: string, link?: GroupLink): void {
    const isAgain = this.#drawn.has(group.id)
    this.#drawn.add(group.id)
    const text = group.kind === 'events' ? this.#eventText(group) : this.#handlingText(group)
    const late = link?.kind === 'late' ? `  ${NUMBER.format(link.count)} too late, not used` : ''
    if (isAgain) {
      const name = group.kind === 'events' ? `● ${group.topic}` : `${group.agent}`
      this.#lines.push(`${lead}${this.#paint(DIM, '↘')} ${name}${late}  ${this.#paint(DIM, '(drawn above)')}`)
      return
    }
    this.#lines.push(`${lead}${text}${late}`)
    const links = this.#below.get(group.id) ?? []
    const margin = below + (links.length > 0 ? '│  ' : '   ')
    for (const line of this.#membersOf(group)) this.#lines.push(margin + line)
    links.forEach((next, index) => {
      const [branch, rest] = branchOf(index, links.length)
      const to = this.#byId.get(next.to)
      if (to !== undefined) this.#group(to, below + branch, below + rest, next)
    })
  }

  #eventText({ topic, source, count, copies, awaiting, leastHop }: EventGroup): string {
    const name = topic === '' ? 'events that were not found' : topic
    const notes = [
      `${this.#paint(BOLD, name)} × ${NUMBER.format(count)}`,
      ...(leastHop === 0 && source !== null ? [`from ${source}`] : []),
      ...(copies > 0 ? [`${NUMBER.format(copies)} further records`] : []),
      ...awaiting.map((owed) => `${NUMBER.format(owed.count)} await ${owed.agent}`),
    ]
    return `● ${notes.join('  ')}`
  }

  #handlingText(group: HandlingGroup): string {
    const counts = STATUS_ORDER.filter((status) => group.statuses[status] > 0).map((status) => {
      return this.#paint(PAINTS[status], `${MARKS[status]} ${NUMBER.format(group.statuses[status])}`)
    })
    const words = [
      ...spreadWords('worked', group.worked),
      ...spreadWords('waited', group.waited),
      ...(group.retried > 0
        ? [`${NUMBER.format(group.retried)} took ${NUMBER.format(attemptsOfRetried(group))} attempts`]
        : []),
      ...(group.duplicatesSkipped > 0 ? [`${NUMBER.format(group.duplicatesSkipped)} copies skipped`] : []),
      ...(group.deadLetters > 0 ? [`${NUMBER.format(group.deadLetters)} dead letters`] : []),
      ...(group.cost === null ? [] : [`cost ${costText(group.cost)}`]),
    ]
    const critical = group.critical > 0 ? `  ${this.#paint(CRITICAL, '◀ critical')}` : ''
    const join = group.isJoin ? ' (join)' : ''
    const texts = words.length === 0 ? '' : `  ${words.join(', ')}`
    return `${group.agent}${join}  ${counts.join('  ')}${texts}${critical}`
  }

  #membersOf(group: FlowGroup): readonly string[] {
    const names = group.kind === 'events' ? [group.topic] : [group.agent]
    if (this.#options.expand?.some((name) => names.includes(name)) === true) return this.#page(group)
    return group.kind === 'events' ? [] : this.#attention(group)
  }

  #attention({ attention, statuses, count, agent, slowest, worked }: HandlingGroup): readonly string[] {
    const open = count - statuses.completed
    const more = open - attention.length
    return [
      ...attention.map((member) => this.#memberText(member)),
      ...(more > 0 ? [this.#paint(DIM, `and ${NUMBER.format(more)} more: --expand ${agent}`)] : []),
      ...(slowest === null || worked === null || worked.leastMs === worked.mostMs
        ? []
        : [this.#paint(DIM, `slowest ${nameOf(slowest)}: ${durationText(slowest.workedMs ?? 0)}`)]),
    ]
  }

  #memberText(member: GroupMember): string {
    const { status, errorCode, errorMessage } = member
    const error = errorCode === null ? '' : `  ${errorCode}: ${errorMessage ?? ''}`.replace(/\s+$/, '')
    return `${this.#paint(PAINTS[status], MARKS[status])} ${nameOf(member)}  ${status}${error}`
  }

  #page({ id, count }: FlowGroup): readonly string[] {
    const page = this.#groups.page(id, { limit: this.#options.maxMembers ?? 50 })
    if (page === undefined) return []
    const lines =
      page.kind === 'events'
        ? page.members.flatMap((event) => this.#eventLines(event))
        : page.members.flatMap((handling) => this.#handlingLines(handling))
    const left = count - page.members.length
    return left > 0 ? [...lines, this.#paint(DIM, `and ${NUMBER.format(left)} more: --all lists every one`)] : lines
  }

  #eventLines(event: FlowEvent): readonly string[] {
    const at = event.position === null ? '' : `  ${event.position.partition}@${event.position.offset}`
    const key = event.key === null ? '' : `  key ${event.key}`
    const awaiting = event.awaiting.length === 0 ? '' : `  awaits ${event.awaiting.join(', ')}`
    const more = (this.#options.eventLines?.(event) ?? []).map((line) => `  ${this.#paint(DIM, line)}`)
    return [`● ${event.id}${at}${key}${awaiting}`, ...more]
  }

  #handlingLines(handling: FlowHandling): readonly string[] {
    const mark = this.#paint(PAINTS[handling.status], MARKS[handling.status])
    const words = handlingWords(handling)
    return [
      `${mark} ${handling.inputs.at(-1) ?? handling.handlingId}  ${words}`,
      ...detailsOf(handling).map((line) => `  ${this.#paint(DIM, line)}`),
    ]
  }
}

function nameOf({ eventId, key }: GroupMember): string {
  return shortId(eventId ?? key)
}

/** Every handling that worked the first time took one attempt. */
function attemptsOfRetried({ attempts, count, retried, statuses }: HandlingGroup): number {
  return attempts - Math.max(0, count - retried - statuses.pending)
}

function spreadWords(what: string, spread: Spread | null): string[] {
  if (spread === null) return []
  const { leastMs, medianMs, mostMs } = spread
  if (leastMs === mostMs) return [`${what} ${durationText(leastMs)}`]
  return [`${what} ${durationText(leastMs)} to ${durationText(mostMs)} (median ${durationText(medianMs)})`]
}
