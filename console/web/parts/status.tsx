/** Statuses: a word and a shape, with a colour for those who see it. */
import type { ReactNode } from 'react'

/** Which colour a status has; unknown ones are neutral. */
const TONES: Readonly<Record<string, 'good' | 'busy' | 'wait' | 'bad' | 'idle'>> = {
  completed: 'good',
  running: 'good',
  resolved: 'good',
  compensated: 'good',
  processing: 'busy',
  draining: 'busy',
  redriven: 'busy',
  compensating: 'busy',
  pending: 'idle',
  stopped: 'idle',
  cancelled: 'idle',
  discarded: 'idle',
  replaced: 'idle',
  'failed-again': 'idle',
  waiting: 'wait',
  silent: 'wait',
  stuck: 'bad',
  failed: 'bad',
  open: 'bad',
}
const MARKS = { good: '✓', busy: '◐', wait: '◔', bad: '✗', idle: '○' } as const

/** Colour name of a status. */
export function toneOf(status: string): keyof typeof MARKS {
  return TONES[status] ?? 'idle'
}

/** A status as a word. */
export function Status({ status }: { readonly status: string }): ReactNode {
  const tone = toneOf(status)
  return (
    <span className={`status ${tone}`}>
      <span aria-hidden="true">{MARKS[tone]}</span> {status}
    </span>
  )
}

/** How many have which status, as a bar and as words. */
export function StatusBar({ counts }: { readonly counts: Readonly<Record<string, number>> }): ReactNode {
  const present = Object.entries(counts).filter(([, count]) => count > 0)
  const total = present.reduce((sum, [, count]) => sum + count, 0)
  const words = present.map(([status, count]) => `${count} ${status}`).join(', ')
  return (
    <span className="status-bar" role="img" aria-label={words} title={words}>
      {present.map(([status, count]) => (
        <span key={status} className={toneOf(status)} style={{ width: `${Math.max(2, (100 * count) / total)}%` }} />
      ))}
    </span>
  )
}
