/** The executable as a user meets it: help, errors that say what to do, exit statuses. */
import { spawn } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Command } from 'commander'
import { buildProgram } from '../../../cli/build-program.ts'
import { COMMANDS } from '../../../cli/command-table.ts'
import { cliReference } from '../../../cli/reference.ts'
import { emptyFolder, runLaban } from '../../harness/run-laban.ts'

const BIN = join(import.meta.dirname, '..', '..', '..', 'bin', 'laban.js')

function findCommand(parent: Command, name: string): Command {
  return parent.commands.find((command) => command.name() === name) ?? expect.fail(`no command ${name}`)
}

describe('help', () => {
  it('lists every command and exits with 0', async () => {
    const { code, stdout } = await runLaban(['--help'])
    expect(code).toBe(0)
    for (const { name } of COMMANDS) expect(stdout).toContain(name.split(' ')[0])
  })

  it('has options, examples and configuration for every command', () => {
    const program = buildProgram(COMMANDS, '1.0.0', () => Promise.resolve())
    for (const { name, examples } of COMMANDS) {
      let text = ''
      const found = name.split(' ').reduce((parent, word) => findCommand(parent, word), program)
      found.configureOutput({ writeOut: (part) => (text += part) }).outputHelp()
      expect(text).toContain(`laban ${name}`)
      expect(text).toContain('--set <key=value>')
      for (const { command } of examples) expect(text).toContain(command)
    }
  })

  it('prints its version', async () => {
    expect((await runLaban(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+/)
  })
})

describe('the table of commands', () => {
  it('has an example for every command, which begins with that command', () => {
    for (const { name, examples } of COMMANDS) {
      expect(examples.length, name).toBeGreaterThan(0)
      for (const { command } of examples) expect(command).toContain(`laban ${name}`)
    }
  })

  it('becomes a reference page that names everything', () => {
    const page = cliReference()
    for (const { name, options = {} } of COMMANDS) {
      expect(page).toContain(`## laban ${name}`)
      for (const { summary } of Object.values(options)) expect(page).toContain(summary.replaceAll('|', '\\|'))
    }
  })
})

describe('wrong usage', () => {
  it.each([
    [['config', 'prnt'], 'Did you mean print?'],
    [['config'], 'not complete'],
    [['config', 'print', '--nonsense'], '--nonsense'],
    [['config', 'print', '--set', 'x'], 'key=value'],
  ])('%j ends with 64', async (args, text) => {
    const { code, stderr } = await runLaban(args)
    expect(code).toBe(64)
    expect(stderr).toContain('LABAN_USAGE')
    expect(stderr).toContain(text)
  })

  it('explains an error: code, why, remedy, next command', async () => {
    const { code, stderr } = await runLaban(['config', 'print'], { env: { LABAN_BROKER: 'a:1' } })
    expect(code).toBe(78)
    expect(stderr).toMatch(/LABAN_CONFIG_UNKNOWN_KEY: .*LABAN_BROKERS/)
    expect(stderr).toMatch(/why .+\n\s+remedy .+\n\s+next\s+laban config keys/)
  })

  it('explains it as JSON when asked', async () => {
    const { stderr } = await runLaban(['config', 'print', '--json'], { env: { LABAN_LEASE_MS: 'x' } })
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'LABAN_CONFIG_INVALID', details: { path: 'leaseMs' } } })
  })
})

describe('config', () => {
  it('prints values with their origin and no secret', async () => {
    const cwd = emptyFolder()
    writeFileSync(join(cwd, 'laban.config.json'), '{ "namespace": "team-a" }')
    const env = { LABAN_REDIS_PASSWORD: 'hunter2', LABAN_MAX_IN_FLIGHT: '7' }
    const { code, stdout } = await runLaban(['config', 'print', '--json', '--brokers', 'b:1'], { cwd, env })
    expect(code).toBe(0)
    expect(stdout).not.toContain('hunter2')
    const values = new Map((JSON.parse(stdout) as { path: string }[]).map((row) => [row.path, row]))
    expect(values.get('namespace')).toMatchObject({ value: 'team-a', origin: join(cwd, 'laban.config.json') })
    expect(values.get('maxInFlight')).toMatchObject({ value: 7, origin: 'LABAN_MAX_IN_FLIGHT' })
    expect(values.get('brokers')).toMatchObject({ value: ['b:1'], origin: '--set brokers' })
    expect(values.get('redis.password')).toMatchObject({ value: '[secret]' })
  })

  it('lists the keys even when the configuration is broken', async () => {
    const { code, stdout } = await runLaban(['config', 'keys'], { env: { LABAN_BROKER: 'a:1' } })
    expect(code).toBe(0)
    expect(stdout).toContain('LABAN_KAFKA_SESSION_TIMEOUT_MS')
  })
})

describe('the process', () => {
  it('ends quietly when nobody reads its output any more', async () => {
    const shell = spawn('sh', ['-c', `"${process.execPath}" "${BIN}" config keys | head -1`])
    let stderr = ''
    shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const code = await new Promise((resolve) => shell.on('close', resolve))
    expect(code).toBe(0)
    expect(stderr).toBe('')
  })

  it('writes no colours into a pipe', async () => {
    const { stdout } = await runLaban(['config', 'print'])
    // eslint-disable-next-line no-control-regex -- the escape character is what must not be there
    expect(stdout).not.toMatch(/\u001b\[/)
  })

  it('says which Node it needs when it can find none', async () => {
    const folder = emptyFolder()
    const old = join(folder, 'pretend-old.mjs')
    // The executable decides by process.versions, so a preload can make this Node look old.
    writeFileSync(
      old,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.0.0' } })\n`,
    )
    const copy = join(folder, 'laban.mjs')
    copyFileSync(BIN, copy)
    const child = spawn(process.execPath, ['--import', old, copy])
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(code).toBe(78)
    expect(stderr).toContain('needs Node 22.18 or newer')
  })
})
