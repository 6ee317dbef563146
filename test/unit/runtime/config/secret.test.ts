/** A secret is given away by `reveal()` and by nothing else. */
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { redactUrl, Secret } from '../../../../runtime/config/secret.ts'

describe('Secret', () => {
  it('is redacted in text, JSON and inspection, nested too', () => {
    const secret = Secret.of('hunter2')
    for (const shown of [
      String(secret),
      `${JSON.stringify({ secret })}`,
      inspect({ deep: { secret } }, { showHidden: true }),
    ]) {
      expect(shown).toContain('[secret]')
      expect(shown).not.toContain('hunter2')
    }
    expect(secret.reveal()).toBe('hunter2')
  })

  it('says which file cannot be read', () => {
    const path = join(tmpdir(), 'laban-no-such-secret')
    expect(() => Secret.fromFile(path).reveal()).toThrow(path)
  })
})

describe('redactUrl', () => {
  it.each([
    ['redis://user:pass@host:6379/0', 'redis://user:[secret]@host:6379/0'],
    ['redis://:pa:ss@host', 'redis://:[secret]@host'],
    ['http://host:80/a@b:c', 'http://host:80/a@b:c'],
    ['not a url', 'not a url'],
  ])('%s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown)
  })
})
