/** The reader of documentation commands: what it takes for a command, and what counts as the promised output. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { commandsOf, missingLine, scriptOf } from '../../harness/doc-commands.ts'
import { temporaryFolder } from '../../harness/temporary-folder.ts'

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
      { line: 1, script: 'echo a', expected: ['a'], isBackground: false },
      { line: 12, script: 'b', expected: [], isBackground: false },
    ])
  })
})

describe('scriptOf', () => {
  const command = { line: 1, expected: [], isBackground: false }

  it('runs the commands in one shell, with a separator after each', () => {
    const script = scriptOf(
      [
        { ...command, script: 'a=1' },
        { ...command, script: 'echo "$a"' },
      ],
      '|',
    )
    expect(execFileSync('bash', ['-euc', script], { encoding: 'utf8' })).toBe('|1\n|')
  })

  it('goes on once a background command has said what it promises', async () => {
    const env = { ...process.env, TMPDIR: await temporaryFolder() }
    const background = {
      line: 7,
      script: 'echo one; echo "ready (2)"; exec sleep 60',
      expected: ['ready (…)'],
      isBackground: true,
    }
    const script = scriptOf([background, { ...command, script: 'echo next; kill $!' }], '|')
    expect(execFileSync('bash', ['-euc', script], { encoding: 'utf8', env })).toBe('one\nready (2)\n|next\n|')
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
