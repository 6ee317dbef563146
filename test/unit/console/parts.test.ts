/** The console's parts that need no stack: answers that are kept, previews, values with hidden parts. */
import { describe, expect, it } from 'vitest'
import { KeptAnswers } from '../../../console/server/kept-answers.ts'
import { maskedBody, withHidden } from '../../../console/server/masked.ts'
import { previewRedrive } from '../../../console/server/preview.ts'
import type { Manifest } from '../../../contracts/index.ts'
import type { DeadLetter } from '../../../runtime/internal.ts'
import { createManualClock } from '../../harness/manual-clock.ts'

describe('an answer that is kept', () => {
  it('is made once for all who ask at the same time, and again when it has aged', async () => {
    const clock = createManualClock()
    const kept = new KeptAnswers({ clock })
    let made = 0
    const make = async (): Promise<number> => ++made
    expect(await Promise.all([kept.get('a', make), kept.get('a', make)])).toEqual([1, 1])
    expect(await kept.get('a', make)).toBe(1)
    clock.skip(1_001)
    expect(await kept.get('a', make)).toBe(2)
    kept.forget('a')
    expect(await kept.get('a', make)).toBe(3)
  })

  it('is kept the longer, the dearer it was', async () => {
    const clock = createManualClock()
    const kept = new KeptAnswers({ clock })
    const slow = async (): Promise<string> => {
      clock.skip(3_000)
      return 'slow'
    }
    await kept.get('slow', slow)
    clock.skip(11_000)
    expect(await kept.get('slow', () => Promise.reject(new Error('asked again')))).toBe('slow')
    clock.skip(2_000)
    await expect(kept.get('slow', () => Promise.reject(new Error('asked again')))).rejects.toThrow('asked again')
    expect(await kept.get('slow', async () => 'once more')).toBe('once more')
  })

  it('leaves when others weigh too much', async () => {
    const kept = new KeptAnswers({ clock: createManualClock(), maxWeight: 10 })
    await kept.get(
      'old',
      async () => 'old',
      () => 6,
    )
    await kept.get(
      'new',
      async () => 'new',
      () => 6,
    )
    expect(await kept.get('old', async () => 'made again')).toBe('made again')
  })
})

describe('the preview of a redrive', () => {
  const manifest = (
    agent: string,
    consumes: string[],
    always: string[],
    state: Manifest['state'] = 'running',
  ): Manifest => ({ agent, consumes, always, oneOf: [], maybe: [], state }) as unknown as Manifest
  const letter = { agent: 'b', attempts: 3, status: 'open' } as DeadLetter

  it('names everybody downstream, the nearest first, and survives a loop', () => {
    const manifests = [
      manifest('a', ['one'], ['two']),
      manifest('b', ['two'], ['three']),
      manifest('c', ['three'], ['four']),
      manifest('d', ['four', 'three'], ['two']),
      manifest('gone', ['three'], [], 'stopped'),
    ]
    const preview = previewRedrive(letter, manifests)
    expect(preview.downstream).toEqual([
      { agent: 'c', by: ['three'], distance: 1 },
      { agent: 'd', by: ['three'], distance: 1 },
    ])
    expect(preview).toMatchObject({ attempt: 4, isRunning: true })
  })

  it('says when nobody is there to do it', () => {
    const preview = previewRedrive(letter, [manifest('b', ['two'], [], 'stopped')])
    expect(preview.isRunning).toBe(false)
    expect(preview.notes[0]).toContain('No instance of b')
  })
})

describe('personal fields', () => {
  const schema = {
    type: 'record',
    name: 'Person',
    fields: [
      { name: 'name', type: 'string', pii: true },
      { name: 'age', type: 'int' },
      {
        name: 'addresses',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'Address',
            fields: [
              { name: 'street', type: 'string', pii: true },
              { name: 'city', type: 'string' },
            ],
          },
        },
      },
    ],
  }
  const original = { name: 'Ada', age: 3, addresses: [{ street: 'Main', city: 'Bern' }] }

  it('are hidden from the page', () => {
    const body = maskedBody(original, { schema })
    expect(JSON.stringify(body)).not.toMatch(/Ada|Main/)
    expect(body).toMatchObject({ masked: true, value: { age: 3, addresses: [{ city: 'Bern' }] } })
  })

  it('come back into a correction that leaves them as they were', () => {
    const body = maskedBody(original, { schema }) as { value: typeof original }
    const corrected = { ...body.value, age: 30, addresses: [{ ...body.value.addresses[0], city: 'Basel' }] }
    expect(withHidden(corrected, original, { schema })).toEqual({
      name: 'Ada',
      age: 30,
      addresses: [{ street: 'Main', city: 'Basel' }],
    })
    expect(withHidden({ ...corrected, name: 'Grace' }, original, { schema })).toMatchObject({ name: 'Grace' })
  })
})
