/** The checker is judged itself: a run that is spoilt in one place is caught by the rule that forbids it, and by no other. */
import { describe, expect, it } from 'vitest'
import { encodeOffsetMap } from '../../../../runtime/consume/offset-map.ts'
import { check } from '../../../chaos/checker/check.ts'
import { choreography, goodHistory, type Spoilable } from './good-history.ts'

type Spoil = (history: Spoilable) => void
type Row = readonly [what: string, spoil: Spoil, found: readonly string[]]

/** What is found after `spoil`, as `<rule> <kind>: <problem>`. */
function found(spoil: Spoil): string[] {
  const history = goodHistory()
  spoil(history)
  return check(choreography, history).map(({ rule, kind, problem }) => `${rule} ${kind}: ${problem}`)
}

const QUARANTINED = 'LABAN_RECORD_QUARANTINED'

function letterOf(
  id: string,
  said: { readonly reason?: string; readonly mark?: string },
): Spoilable['deadLetters'][number] {
  return { agent: 'chooser', id, topic: 'chooser.dead-letter', partition: 0, offset: 0, reason: '', mark: '', ...said }
}

/** Begun in four processes, of which the first three were killed. */
function costsThree({ calls, interruptions }: Spoilable, eventId: string): void {
  for (const pid of [101, 102, 103, 104]) {
    calls.push({ what: 'begin', eventId, pid, atMs: 1_000 + 10 * pid, key: '', isApplied: true, told: '' })
    if (pid < 104) interruptions.push({ pid, fromMs: 1_000 + 10 * pid + 5, untilMs: Infinity })
  }
}

/** The one item that has these fields. */
function find<T extends object>(list: readonly T[], fields: Partial<T>): T {
  const names = Object.keys(fields) as (keyof T)[]
  const [item, ...others] = list.filter((candidate) =>
    names.every((name) => JSON.stringify(candidate[name]) === JSON.stringify(fields[name])),
  )
  if (item === undefined || others.length > 0) throw new Error('the good history does not hold it once')
  return item
}

function remove<T extends object>(list: T[], fields: Partial<T>): T {
  const item = find(list, fields)
  list.splice(list.indexOf(item), 1)
  return item
}

function change<T extends object>(list: T[], fields: Partial<T>, changes: Partial<T>): void {
  const item = find(list, fields)
  list[list.indexOf(item)] = { ...item, ...changes }
}

function repeat<T extends object>(list: T[], fields: Partial<T>, changes: Partial<T>): void {
  list.push({ ...find(list, fields), ...changes })
}

/** Time of something in the good history. */
function atMs(fields: { readonly what: string; readonly eventId: string }): number {
  return find(goodHistory().calls, fields).atMs
}

const JOINED = { agent: 'chooser', handlingId: 'joined-1' }
const MODEL = { what: 'model', eventId: 'start-1' }
const CHARGE = { what: 'charge', eventId: 'start-1' }

const ENDS: readonly Row[] = [
  [
    'an event of which nobody says how it ended',
    ({ facts }) => remove(facts, JOINED),
    ['I1 lost: no fact says how chooser ended joined-1 of flow flow-1'],
  ],
  [
    'an event that was only skipped or begun',
    ({ facts }) => change(facts, JOINED, { outcome: 'duplicate' }),
    ['I1 lost: no fact says how chooser ended joined-1 of flow flow-1'],
  ],
  [
    'an output that was never published',
    ({ events, facts }) => {
      remove(events, { id: 'yes-1' })
      change(facts, JOINED, { outputs: [] })
    },
    ['I1 lost: chooser said no yes or no for joined-1'],
  ],
  [
    'an output that only a fact knows of',
    ({ facts }) => change(facts, JOINED, { outputs: ['yes-1', 'remark-1'] }),
    ['I1 lost: chooser says that joined-1 led to remark-1, which is not on the log'],
  ],
  [
    'a flow that was begun and is not there',
    (history) => {
      for (const list of ['events', 'facts'] as const)
        history[list] = (history[list] as { flowId: string }[]).filter(({ flowId }) => flowId !== 'flow-1') as never
    },
    ['I1 lost: 3 flows were begun, start holds 2'],
  ],
  [
    'an event that was given up',
    ({ deadLetters }) => deadLetters.push(letterOf('joined-1', { reason: 'LABAN_ATTEMPTS_EXHAUSTED' })),
    ['I1 lost: chooser gave up joined-1: it is a dead letter for LABAN_ATTEMPTS_EXHAUSTED'],
  ],
  [
    'an event that was put aside although it had cost nothing',
    ({ deadLetters }) =>
      deadLetters.push(letterOf('start-1', { reason: QUARANTINED }), letterOf('start-1', { mark: 'resolved' })),
    ['I1 lost: chooser put start-1 aside, which had cost 0 processes'],
  ],
  [
    'an event that was put aside and sent once more in vain',
    (history) => {
      costsThree(history, 'start-1')
      history.deadLetters.push(letterOf('start-1', { reason: QUARANTINED }), letterOf('start-1', { mark: 'redriven' }))
    },
    ['I1 lost: chooser put start-1 aside, and it has not succeeded since'],
  ],
  [
    'a second run that has published under another id',
    ({ events }) => repeat(events, { id: 'yes-1' }, { id: 'yes-1-again', offset: 7 }),
    ['I1 doubled: chooser said 2 times yes or no for joined-1'],
  ],
  [
    'both outputs of which only one may be',
    ({ events }) => repeat(events, { id: 'yes-1' }, { id: 'no-1', topic: 'no' }),
    ['I1 doubled: chooser said 2 times yes or no for joined-1'],
  ],
  [
    'an output of something that was never read',
    ({ events }) => repeat(events, { id: 'yes-1' }, { id: 'yes-9', offset: 9, causes: ['joined-9'] }),
    ['I1 doubled: chooser said yes or no for joined-9, which it cannot have handled'],
  ],
]

const CONTENTS: readonly Row[] = [
  [
    'one id with two contents',
    ({ events }) => repeat(events, { id: 'yes-1' }, { offset: 7, content: 'another' }),
    ['I2 doubled: yes-1 has two contents: yes/0@1 and yes/0@7'],
  ],
  [
    'an event that was handed over with another content',
    ({ events, handedOver }) =>
      handedOver.push({
        ...{ ...find(events, { id: 'joined-1' }), agent: 'chooser', topic: 'chooser.retry.1s' },
        content: 'another',
      }),
    ['I2 doubled: joined-1 has two contents: joined/0@1 and chooser.retry.1s/0@1'],
  ],
  [
    'one handling that has led to two results',
    ({ facts }) => repeat(facts, JOINED, { outputs: [] }),
    ['I2 doubled: chooser joined-1 has led to [yes-1] and to []'],
  ],
]

const ORDER: readonly Row[] = [
  [
    'an event that overtook an earlier one of its key',
    ({ events }) => {
      change(events, { id: 'left-1' }, { offset: 2 })
      change(events, { id: 'left-2' }, { offset: 1 })
    },
    ['I3 wrong: splitter passed over the event before start/0@2: left/0@1 stands before left/0@2'],
  ],
]

const JOINS: readonly Row[] = [
  [
    'a join of other members on another attempt',
    ({ events, facts }) => {
      repeat(events, { id: 'left-1' }, { id: 'left-1b', offset: 8, source: 'somebody', causes: ['nothing'] })
      repeat(facts, { agent: 'joiner', handlingId: 'join-1' }, { inputs: ['left-1b', 'right-1'] })
    },
    [
      'I1 doubled: splitter said left for nothing, which it cannot have handled',
      'I5 doubled: joiner joined [left-1 right-1] and [left-1b right-1] of flow flow-1',
    ],
  ],
  [
    'a join without one of its members',
    ({ events }) => change(events, { id: 'joined-1' }, { causes: ['left-1', 'left-1'] }),
    [
      'I5 wrong: joiner joined left and left of flow flow-1',
      'I5 doubled: joiner joined [left-1 left-1] and [left-1 right-1] of flow flow-1',
    ],
  ],
]

const STEPS: readonly Row[] = [
  [
    'a step that ran again after its result was recorded, in a process that took over',
    ({ calls, interruptions }) => {
      interruptions.push({ pid: 7, fromMs: atMs(MODEL), untilMs: Infinity })
      repeat(calls, MODEL, { pid: 8, atMs: atMs(MODEL) + 300 })
    },
    ['I6 doubled: start-1 model ran again in 8, 200 ms after its result was recorded'],
  ],
  [
    'a step that ran again although its process lived',
    ({ calls }) => repeat(calls, MODEL, { pid: 8, atMs: atMs(MODEL) + 50 }),
    ['I6 doubled: start-1 model ran in 8 although 7 had it and was not interrupted'],
  ],
  [
    'a step whose result is not in the journal',
    ({ results }) => remove(results, { handlingId: 'start-1', step: 'model' }),
    ['I6 wrong: start-1 model was called, and its result is not in the journal'],
  ],
  [
    'an effect with another key, which took effect twice',
    ({ calls, interruptions }) => {
      interruptions.push({ pid: 7, fromMs: atMs(CHARGE), untilMs: Infinity })
      repeat(calls, CHARGE, { pid: 8, atMs: atMs(CHARGE) + 50, key: 'another' })
    },
    ['I6 wrong: start-1 charge was called with 2 keys', 'I6 doubled: start-1 charge took effect 2 times'],
  ],
  [
    'a step that was told another result of the one before it',
    ({ calls, interruptions }) => {
      interruptions.push({ pid: 7, fromMs: atMs(CHARGE), untilMs: Infinity })
      repeat(calls, CHARGE, { pid: 8, atMs: atMs(CHARGE) + 50, isApplied: false, told: 'another answer' })
    },
    ['I6 wrong: start-1 charge was told 2 different results of the steps before it'],
  ],
]

const OFFSETS: readonly Row[] = [
  [
    'a commit that passed over an event before it had ended',
    ({ facts }) => change(facts, { agent: 'splitter', handlingId: 'start-0' }, { atMs: 9_999_999 }),
    ['I8 lost: splitter committed start/0@1 and had not ended start/0@0'],
  ],
  [
    'a commit that names an event as finished before it had ended',
    ({ samples }) => change(samples, { offset: 1 }, { metadata: encodeOffsetMap([1, 1]) }),
    ['I8 lost: splitter committed start/0@1 and had not ended start/0@2'],
  ],
]

describe.each([
  ['that everything ends', ENDS],
  ['contents', CONTENTS],
  ['order', ORDER],
  ['joins', JOINS],
  ['steps', STEPS],
  ['offsets', OFFSETS],
] as const)('the rule about %s', (_, rows) => {
  it.each(rows)('catches %s', (_what, spoil, expected) => {
    expect(found(spoil)).toEqual(expected)
  })
})

/** What a crash may leave behind: each is allowed, and would be a violation if one detail were different. */
const ALLOWED: readonly (readonly [what: string, spoil: Spoil])[] = [
  [
    'an event that cost three processes, was put aside, and has succeeded when it was sent once more',
    (history) => {
      costsThree(history, 'start-1')
      history.deadLetters.push(letterOf('start-1', { reason: QUARANTINED }), letterOf('start-1', { mark: 'resolved' }))
    },
  ],
  ['a record repeated under its id', ({ events }) => repeat(events, { id: 'yes-1' }, { offset: 7 })],
  ['a fact repeated', ({ facts }) => repeat(facts, JOINED, { attempt: 2 })],
  ['a delivery that was skipped', ({ facts }) => repeat(facts, JOINED, { outcome: 'duplicate', outputs: [] })],
  [
    'a step that ran again because its process was killed',
    ({ calls, interruptions }) => {
      interruptions.push({ pid: 7, fromMs: atMs(MODEL) + 10, untilMs: Infinity })
      repeat(calls, MODEL, { pid: 8, atMs: atMs(MODEL) + 50 })
    },
  ],
  [
    'an effect that was tried again with its key',
    ({ calls, interruptions }) => {
      interruptions.push({ pid: 7, fromMs: atMs(CHARGE) + 10, untilMs: Infinity })
      repeat(calls, CHARGE, { pid: 8, atMs: atMs(CHARGE) + 50, isApplied: false })
    },
  ],
  [
    'a process that wakes up and ends what it was about to say',
    ({ calls, interruptions }) => {
      interruptions.push({ pid: 7, fromMs: atMs(CHARGE) - 10, untilMs: atMs(CHARGE) + 900 })
      repeat(calls, CHARGE, { atMs: atMs(CHARGE) + 1_000, isApplied: false })
    },
  ],
  [
    'an open event that a commit does not name as finished',
    ({ samples, facts }) => {
      change(facts, { agent: 'splitter', handlingId: 'start-1' }, { atMs: find(samples, { offset: 3 }).seenAtMs - 1 })
      change(
        samples,
        { offset: 1 },
        { metadata: encodeOffsetMap([2, 1]), seenAtMs: find(samples, { offset: 3 }).seenAtMs - 2 },
      )
    },
  ],
]

it.each(ALLOWED)('allows %s', (_, spoil) => {
  expect(found(spoil)).toEqual([])
})

it('finds nothing in a run in which all is well', () => {
  expect(found(() => undefined)).toEqual([])
})
