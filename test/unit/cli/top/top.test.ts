/** The table and the screen of `laban top`. */
import { describe, expect, it } from 'vitest'
import { FlowWatch } from '../../../../cli/top/flow-watch.ts'
import { figureLines, flowLine } from '../../../../cli/top/render.ts'
import { Screen } from '../../../../cli/top/screen.ts'
import type { AgentFigures, FlowFilter, FlowSource } from '../../../../runtime/internal.ts'
import { createManualClock } from '../../../harness/manual-clock.ts'

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

describe('the line of flows', () => {
  const figures = { inProgress: 12, waiting: 3, stuck: 0, completed: 400, failed: 1, p50Ms: 140, p99Ms: 2_500 }

  it('says what is under way and how long flows took', () => {
    expect(flowLine(figures, plain)).toBe(
      'flows  12 in progress, 3 waiting, 0 stuck; of the last 5 min 1 failed, 400 completed, p50 140 ms, p99 2.5 s',
    )
    expect(flowLine({ ...figures, completed: 0, p50Ms: null, p99Ms: null }, plain)).toMatch(/1 failed, 0 completed$/)
    expect(flowLine(null, plain)).toContain('no ledger')
  })

  it('is asked of a ledger only, at most every five seconds, with the nearest rank of each percentile', async () => {
    const clock = createManualClock()
    const asked: FlowFilter[] = []
    const durations = Array.from({ length: 200 }, (_, index) => 200 - index)
    const source = {
      kind: 'ledger',
      search: (filter: FlowFilter) => {
        asked.push(filter)
        const flows = filter.status === 'completed' ? durations.map((durationMs) => ({ durationMs })) : []
        return Promise.resolve({ flows, total: filter.status === 'completed' ? 5_000 : 2 })
      },
    } as unknown as FlowSource
    const watch = new FlowWatch(source, clock)
    const expected = { inProgress: 4, waiting: 2, stuck: 2, completed: 5_000, failed: 2, p50Ms: 100, p99Ms: 198 }
    expect(await watch.look()).toEqual(expected)
    clock.skip(4_999)
    await watch.look()
    expect(asked).toHaveLength(6)
    clock.skip(1)
    await watch.look()
    expect(asked).toHaveLength(12)
    expect(await new FlowWatch({ ...source, kind: 'log' }, clock).look()).toBeNull()
    expect(asked).toHaveLength(12)
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
