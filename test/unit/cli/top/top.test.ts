/** The table and the screen of `laban top`. */
import { describe, expect, it } from 'vitest'
import { figureLines } from '../../../../cli/top/render.ts'
import { Screen } from '../../../../cli/top/screen.ts'
import type { AgentFigures } from '../../../../runtime/internal.ts'

const RUNNING: AgentFigures = {
  ...{ agent: 'credit.score', versions: ['1.0.0'], state: 'running', instances: 2 },
  ...{
    completedPerSecond: 1234.5,
    retriedPerSecond: 0,
    running: 0,
    lag: 40,
    oldestMs: 1_500,
    deadLetters: 0,
    drainMs: 32,
  },
}

const plain = (_style: unknown, text: string): string => text

describe('the table', () => {
  it('aligns numbers to the right and says nothing where there is nothing to say', () => {
    const idle: AgentFigures = { ...RUNNING, agent: 'a', completedPerSecond: 0.44, lag: 0, oldestMs: null, drainMs: 0 }
    expect(figureLines([RUNNING, idle], plain)).toEqual([
      'AGENT         STATE    INST  RATE/s  LONG  LAG  OLDEST  RETRY/s  DEAD  DRAINED IN',
      'credit.score  running     2    1235     -   40   1.5 s        -     -       32 ms',
      'a             running     2     0.4     -    -       -        -     -           -',
    ])
  })

  it('marks what needs somebody', () => {
    const mark = (style: unknown, text: string): string => `${String(style)}:${text.split(' ')[0] ?? ''}`
    const still: AgentFigures = { ...RUNNING, agent: 'b', state: 'stands still', drainMs: null }
    const failing: AgentFigures = { ...RUNNING, agent: 'c', deadLetters: 3 }
    expect(figureLines([RUNNING, still, failing], mark)).toEqual([
      'dim:AGENT',
      expect.stringMatching(/^credit/),
      'red:b',
      'yellow:c',
    ])
  })
})

describe('the screen', () => {
  it('rewrites the page in place, leaves out what does not fit, and gives the terminal back', () => {
    const written: string[] = []
    const raw: boolean[] = []
    let onData = (_bytes: Buffer): void => undefined
    let quits = 0
    {
      using screen = new Screen(
        {
          stdout: { write: (text) => written.push(text), rows: 3 },
          stdin: {
            isTTY: true,
            setRawMode: (isRaw) => raw.push(isRaw),
            on: (_event, listener) => (onData = listener),
            off: () => undefined,
            resume: () => undefined,
            pause: () => undefined,
          },
        },
        () => quits++,
      )
      screen.draw(['one', 'two', 'three'])
      for (const key of ['x', 'q', '\u0003']) onData(Buffer.from(key))
    }
    expect(quits).toBe(2)
    expect(raw).toEqual([true, false])
    expect(written[0]).toContain('?1049h')
    expect(written[1]).toBe('\u001B[Hone\u001B[K\r\ntwo\u001B[K\r\n\u001B[J')
    expect(written.at(-1)).toContain('?1049l')
  })
})
