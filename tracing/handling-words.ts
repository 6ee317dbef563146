/** How a handling reads in a terminal: marks, colours and words that all drawings of flows share. */
import { discardedOf, discardedText } from './discarded.ts'
import { durationText } from './duration-text.ts'
import { costText } from './flow-cost.ts'
import type { FlowHandling, FlowStatus } from './flow-graph.ts'

/** One character per status. */
export const MARKS: Readonly<Record<FlowStatus, string>> = {
  pending: '○',
  processing: '◐',
  waiting: '◔',
  stuck: '■',
  completed: '✓',
  failed: '✗',
}
/** ANSI colour per status. */
export const PAINTS: Readonly<Record<FlowStatus, number>> = {
  pending: 36,
  processing: 36,
  waiting: 33,
  stuck: 31,
  completed: 32,
  failed: 31,
}
/** ANSI attributes. */
export const DIM = 2
export const BOLD = 1
const MAX_ATTEMPTS_SHOWN = 3
const MAX_STEPS_SHOWN = 8
const SHORT_ID_LENGTH = 8

/** ANSI colours, or nothing. */
export type Painter = (code: number, text: string) => string

/** Paints when `colors` is true. */
export function painter(colors: boolean): Painter {
  return (code, text) => (colors ? `\u001b[${code}m${text}\u001b[0m` : text)
}

/** The beginning of an id; `laban flow` takes it too. */
export function shortId(id: string): string {
  return id.slice(0, SHORT_ID_LENGTH)
}

/** What a line begins with in a tree, and what stands below it. */
export function branchOf(index: number, count: number): readonly [branch: string, rest: string] {
  return index === count - 1 ? ['└─ ', '   '] : ['├─ ', '│  ']
}

/** How it ended, what it took, and what was special; without the agent. */
export function handlingWords(handling: FlowHandling): string {
  return [endText(handling), ...timeTexts(handling), ...noteTexts(handling)].filter((text) => text !== '').join(', ')
}

function endText(handling: FlowHandling): string {
  const { status, outcome, join, inferred, attempts } = handling
  if (inferred) return 'completed, as its outputs tell'
  if (status === 'completed') return outcome === 'completed' ? '' : (outcome ?? 'completed')
  if (status === 'failed') {
    const fate = discardedOf(handling) === undefined ? '' : ' and discarded'
    return `dead-lettered after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}${fate}`
  }
  if (join !== null && join.missing.length > 0)
    return `${status} for ${join.missing.join(', ')}`.replace('stuck for', 'stuck without')
  return status === 'pending' ? 'not heard of yet' : status
}

function timeTexts({ workedMs, waitedMs, join }: FlowHandling): string[] {
  const texts: string[] = []
  if (join !== null && join.gatheredMs !== null) texts.push(`members came within ${durationText(join.gatheredMs)}`)
  if (workedMs !== null) texts.push(`worked ${durationText(workedMs)}`)
  if (waitedMs !== null) texts.push(`waited ${durationText(waitedMs)}`)
  return texts
}

function noteTexts({ status, attempts, duplicatesSkipped }: FlowHandling): string[] {
  const texts: string[] = []
  if (attempts > 1 && status !== 'failed') texts.push(`attempt ${attempts}`)
  if (duplicatesSkipped > 0) texts.push(`${duplicatesSkipped} ${duplicatesSkipped === 1 ? 'copy' : 'copies'} skipped`)
  return texts
}

/** Failures, steps, the error and the dead letter, one line each. */
export function detailsOf(handling: FlowHandling): readonly string[] {
  const { failedAttempts, errorCode, errorMessage, deadLetter, status, steps } = handling
  const failures = failedAttempts.map(
    (failure) => `attempt ${failure.attempt} failed: ${failure.errorCode ?? ''} ${failure.errorMessage ?? ''}`,
  )
  const hidden = failures.length - MAX_ATTEMPTS_SHOWN
  const shown = hidden > 0 ? [`${hidden} earlier attempts failed`, ...failures.slice(hidden)] : failures
  const error = status === 'failed' && errorCode !== null ? [`${errorCode}: ${errorMessage ?? ''}`] : []
  const discarded = discardedOf(handling)
  const fate = discarded === undefined ? '' : `, ${discardedText(discarded)}`
  const letter = deadLetter === null ? [] : [`dead letter ${deadLetter}${fate}`]
  return [...shown, ...stepTexts(steps), ...error, ...letter].map(oneLine)
}

function stepTexts(steps: FlowHandling['steps']): readonly string[] {
  const texts = steps.slice(0, MAX_STEPS_SHOWN).map(({ name, durationMs, cost, replayed }) => {
    const words = [
      durationText(durationMs),
      ...(cost === null ? [] : [`cost ${costText(cost)}`]),
      ...(replayed ? ['replayed'] : []),
    ]
    return `step ${name}: ${words.join(', ')}`
  })
  return steps.length > MAX_STEPS_SHOWN ? [...texts, `and ${steps.length - MAX_STEPS_SHOWN} more steps`] : texts
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
