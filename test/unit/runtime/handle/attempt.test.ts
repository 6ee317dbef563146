/** One attempt: how it ends, what it leaves behind, and that it never rejects. */
import { beforeEach, describe, expect, it } from 'vitest'
import { LabanError } from '../../../../contracts/errors.ts'
import { runAttempt, type AttemptOptions } from '../../../../runtime/handle/attempt.ts'
import type { Output, OutputCollector } from '../../../../runtime/handle/output-collector.ts'
import { Cancellation } from '../../../../runtime/ports/cancellation.ts'
import { noTracer } from '../../../../tracing/create-tracer.ts'
import { createManualClock, type ManualClock } from '../../../harness/manual-clock.ts'

const OUTPUTS: readonly Output[] = []
const envelope = {
  ...{ id: '0', type: 'test.in', source: 'test', time: '', flowId: '0', causes: [], hop: 0 },
}

let clock: ManualClock
let cancellation: Cancellation

beforeEach(() => {
  clock = createManualClock()
  cancellation = new Cancellation()
})

function attempt(invoke: AttemptOptions['invoke'], seal: () => readonly Output[] = () => OUTPUTS) {
  const span = noTracer.startProcess({
    ...{ agent: 'test.agent', group: 'test.agent', instance: 'i', topic: 'test.in', partition: 0, offset: 0 },
    ...{ key: null, envelope, attempt: 1 },
  })
  const collector = { seal } as OutputCollector
  return runAttempt({ agent: 'test.agent', timeoutMs: 1_000, clock, cancellation, span, collector, invoke })
}

const never = (): Promise<void> => new Promise(() => undefined)

describe('an attempt', () => {
  it.each([
    ['returns', () => undefined],
    ['resolves', () => Promise.resolve()],
    ['returns null', () => null as unknown as undefined],
    ['returns a thenable', () => ({ then: (done: () => void) => done() }) as unknown as Promise<void>],
  ])('succeeds when its function %s', async (_how, invoke) => {
    expect(await attempt(invoke)).toEqual({ kind: 'succeeded', outputs: OUTPUTS })
    expect(clock.pending).toBe(0)
  })

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('no')
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('no'))],
  ])('fails when its function %s', async (_how, invoke) => {
    expect(await attempt(invoke)).toMatchObject({ kind: 'failed', failure: { kind: 'retry' } })
    expect(clock.pending).toBe(0)
  })

  it('fails when its outputs are not what the agent promised', async () => {
    const seal = (): never => {
      throw new LabanError('LABAN_HANDLER_OUTPUT', { agent: 'test.agent', problem: 'nothing said' })
    }
    for (const invoke of [() => undefined, () => Promise.resolve()])
      expect(await attempt(invoke, seal)).toMatchObject({ failure: { error: { code: 'LABAN_HANDLER_OUTPUT' } } })
  })

  it('knows its deadline, and fails when it is over, the signal aborted, the function still on its way', async () => {
    let end = (): void => undefined
    const signals: AbortSignal[] = []
    const deadlines: number[] = []
    let isSettled = false
    const result = attempt((own, deadlineAtMs) => {
      signals.push(own.signal)
      deadlines.push(deadlineAtMs)
      return new Promise((resolve) => (end = resolve))
    })
    await clock.advance(999)
    expect(signals[0]?.aborted).toBe(false)
    await clock.advance(1)
    const ended = await result
    expect(deadlines).toEqual([1_000])
    expect(signals[0]?.reason).toMatchObject({ code: 'LABAN_ATTEMPT_ENDED' })
    expect(ended).toMatchObject({ kind: 'failed', failure: { error: { code: 'LABAN_HANDLER_TIMEOUT' } } })
    if (ended.kind === 'failed') void ended.settled.then(() => (isSettled = true))
    await clock.advance(0)
    expect(isSettled).toBe(false)
    end()
    await clock.advance(0)
    expect(isSettled).toBe(true)
  })

  it('that times out is a failure even if its function then rejects or succeeds', async () => {
    const late = attempt(async (own) => {
      await new Promise((resolve) => own.signal.addEventListener('abort', resolve))
      throw new TypeError('aborted')
    })
    await clock.advance(1_000)
    expect(await late).toMatchObject({ failure: { error: { code: 'LABAN_HANDLER_TIMEOUT' } } })
  })

  it.each(['revoked', 'lease-lost', 'superseded', 'shutdown'] as const)(
    'is cancelled when %s, and leaves no timer',
    async (reason) => {
      const result = attempt(never)
      cancellation.cancel(reason)
      expect(await result).toMatchObject({ kind: 'cancelled', reason })
      expect(clock.pending).toBe(0)
    },
  )

  it('is cancelled, not failed, when its function throws because it was cancelled before', async () => {
    cancellation.cancel('revoked')
    const throwing = (): never => {
      throw new TypeError('aborted')
    }
    expect(await attempt(throwing)).toMatchObject({ kind: 'cancelled', reason: 'revoked' })
  })

  it('has failed when its function throws a control error of its own making', async () => {
    const result = await attempt(() => Promise.reject(new LabanError('LABAN_SHUTDOWN')))
    expect(result).toMatchObject({
      kind: 'failed',
      failure: { kind: 'retry', error: { code: 'LABAN_HANDLER_FAILED' } },
    })
  })
})
