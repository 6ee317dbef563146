/** Draws the difference of two flows for a terminal: first where they part, then each kind of difference, largest lists cut short. */
import type { AgentDifference, FlowDiff, FlowSide, Outcome, OutcomeDifference, PathDifference } from './diff-graphs.ts'
import { durationText } from './duration-text.ts'
import { costText } from './flow-cost.ts'
import { BOLD, DIM, MARKS, painter, PAINTS, shortId, type Painter } from './handling-words.ts'

const MAX_LISTED = 20
const MAX_SHOWN_VALUE = 60
const RED = 31
const GREEN = 32
const LEFT = '-'
const RIGHT = '+'

/** The drawing, several lines without a line break at the end; nothing but times for flows that are the same. */
export function renderDiff(diff: FlowDiff, { colors = false }: { readonly colors?: boolean } = {}): string {
  const paint = painter(colors)
  const title = (text: string): string => paint(BOLD, text)
  return [
    sideLine(LEFT, diff.left, paint),
    sideLine(RIGHT, diff.right, paint),
    '',
    firstLine(diff),
    ...section(title('Path'), diff.path, (difference) => [pathLine(difference, paint)]),
    ...section(title('Outcome'), diff.outcome, (difference) => outcomeLines(difference, paint)),
    ...section(title('Content'), diff.content ?? [], ({ topic, leftId, rightId, fields }) => [
      `  ${topic}  ${paint(DIM, `${shortId(leftId)} and ${shortId(rightId)}`)}`,
      ...cut(fields, ({ path, left, right }) => [
        `    ${path === '' ? 'value' : path}: ${shown(left)} → ${shown(right)}`,
      ]),
    ]),
    ...section(title('Attempts'), diff.attempts, ({ agent, topic, left, right }) => [
      `  ${agent}${topic === '' ? '' : ` of ${topic}`}: ${left} → ${right}`,
    ]),
    ...section(title('Time and cost by agent'), diff.agents, (difference) => [agentLine(difference)]),
  ].join('\n')
}

function sideLine(
  sign: string,
  { flowId, status, durationMs, events, handlings, cost }: FlowSide,
  paint: Painter,
): string {
  const took = durationMs === null ? '' : `  ${durationText(durationMs)}`
  const costs = cost === null ? '' : `  cost ${costText(cost)}`
  const name = paint(sign === LEFT ? RED : GREEN, `${sign} flow ${flowId}`)
  return `${name}  ${paint(PAINTS[status], status)}${took}  ${events} events, ${handlings} handlings${costs}`
}

function firstLine({ first, same, content }: FlowDiff): string {
  const contents = content === null ? '; contents were not compared' : ''
  if (same) return `the same path and outcome${content === null ? '' : ' and content'}${contents}`
  if (first === null) return 'the same path and outcome, but events say something else'
  if ('agent' in first)
    return `they part at ${first.agent}${first.topic === '' ? '' : ` of ${first.topic}`}, which came to something else${contents}`
  const where = first.after === '' ? 'at the beginning' : `after ${first.after}`
  return `they part ${where}: only ${first.side === 'left' ? LEFT : RIGHT} has ${first.name}${contents}`
}

function pathLine({ side, kind, name, after, count, hop }: PathDifference, paint: Painter): string {
  const sign = side === 'left' ? LEFT : RIGHT
  const many = count > 1 ? ` × ${count}` : ''
  const what = kind === 'event' ? `● ${name}${many}` : `${name}${many}`
  const where = after === '' ? '' : kind === 'event' ? `  published by ${after}` : `  reacting to ${after}`
  return `  ${paint(side === 'left' ? RED : GREEN, `${sign} ${what}`)}${where}${hop === null ? '' : paint(DIM, `  hop ${hop}`)}`
}

function outcomeLines({ agent, topic, left, right }: OutcomeDifference, paint: Painter): readonly string[] {
  return [
    `  ${agent}${topic === '' ? '' : ` of ${topic}`}`,
    `    ${LEFT} ${outcomeText(left, paint)}`,
    `    ${RIGHT} ${outcomeText(right, paint)}`,
  ]
}

function outcomeText({ status, errorCode, errorMessage }: Outcome, paint: Painter): string {
  const error = errorCode === null ? '' : `  ${errorCode}: ${errorMessage ?? ''}`
  return `${paint(PAINTS[status], MARKS[status])} ${status}${error}`
}

function agentLine({ agent, left, right }: AgentDifference): string {
  if (left === null || right === null) {
    const totals = left ?? right
    const side = left === null ? RIGHT : LEFT
    return `  ${agent}  only ${side}: worked ${durationText(totals?.workedMs ?? 0)}, waited ${durationText(totals?.waitedMs ?? 0)}`
  }
  const change = (what: string, a: number, b: number, text: (value: number) => string): string[] => {
    return a === b ? [`${what} ${text(a)}`] : [`${what} ${text(a)} → ${text(b)}`]
  }
  const costs =
    left.cost === null && right.cost === null ? [] : change('cost', left.cost ?? 0, right.cost ?? 0, costText)
  const words = [
    ...change('worked', left.workedMs, right.workedMs, durationText),
    ...change('waited', left.waitedMs, right.waitedMs, durationText),
    ...costs,
  ]
  return `  ${agent}  ${words.join(', ')}`
}

function section<T>(title: string, items: readonly T[], linesOf: (item: T) => readonly string[]): readonly string[] {
  return items.length === 0 ? [] : ['', title, ...cut(items, linesOf)]
}

function cut<T>(items: readonly T[], linesOf: (item: T) => readonly string[]): readonly string[] {
  const lines = items.slice(0, MAX_LISTED).flatMap(linesOf)
  return items.length > MAX_LISTED ? [...lines, `  and ${items.length - MAX_LISTED} more; --json names all`] : lines
}

function shown(value: unknown): string {
  const text = value === undefined ? '(none)' : JSON.stringify(value, bigintAsText)
  return text.length > MAX_SHOWN_VALUE ? `${text.slice(0, MAX_SHOWN_VALUE)}…` : text
}

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
