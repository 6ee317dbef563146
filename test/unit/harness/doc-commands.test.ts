/** The reader of documentation commands: what it takes for a command, and what counts as the promised output. */
import { describe, expect, it } from 'vitest'
import { commandsOf, missingLine } from '../../harness/doc-commands.ts'

const PAGE = [
  '```sh run',
  'echo a',
  '```',
  '',
  '```text',
  'a',
  '```',
  '',
  '```sh',
  'npm test',
  '```',
  '```sh run',
  'b',
  '```',
].join('\n')

describe('commandsOf', () => {
  it('takes marked blocks only, each with the output shown right after it', () => {
    expect(commandsOf(PAGE)).toEqual([
      { line: 1, script: 'echo a', expected: ['a'] },
      { line: 12, script: 'b', expected: [] },
    ])
  })
})

describe('missingLine', () => {
  it('wants the lines in order, with anything between them', () => {
    expect(missingLine('a\nx\nb\n', ['a', 'b'])).toBeUndefined()
    expect(missingLine('b\na\n', ['a', 'b'])).toBe('b')
  })

  it('takes … for anything', () => {
    expect(missingLine('flow 0123 completed', ['flow … completed'])).toBeUndefined()
    expect(missingLine('flow 0123 failed', ['flow … completed'])).toBe('flow … completed')
    expect(missingLine('a\nb\n', ['a', '…', 'b'])).toBeUndefined()
  })

  it('takes nothing else for a pattern', () => {
    expect(missingLine('abc', ['a.c'])).toBe('a.c')
  })
})
