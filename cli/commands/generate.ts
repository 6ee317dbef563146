/** `laban generate`: TypeScript types from the contracts, so that the compiler checks agents. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { defineCommand } from '../command.ts'

const STALE_EXIT = 65

export const generate = defineCommand({
  name: 'generate',
  summary: 'Generate TypeScript types from the contracts',
  description:
    'Writes <contractsDir>/generated/events.ts. With it a wrong topic, a missing field or a publish that is not declared does not compile.',
  options: { check: { kind: 'flag', summary: 'Write nothing; exit with 65 when the file is not up to date' } },
  examples: [
    { command: 'laban generate', explains: 'After a change of an .avsc file or the topic table' },
    { command: 'laban generate --check', explains: 'In CI: fails when somebody forgot it' },
  ],
  async run(_args, { check }, { output, load }) {
    const { contractsOf } = await import('../../runtime/internal.ts')
    const { generateTypes } = await import('../../contracts/index.ts')
    const { config } = await load()
    const file = join(config.contractsDir, 'generated', 'events.ts')
    const shown = relative(process.cwd(), file)
    const text = generateTypes(contractsOf(config))
    const isCurrent = text === (await readFile(file, 'utf8').catch(() => undefined))
    if (isCurrent) output.note(`${shown} is up to date`)
    else if (check) output.note(`${shown} is not up to date: run laban generate`)
    else {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
      output.note(`${shown} written`)
    }
    return check && !isCurrent ? STALE_EXIT : 0
  },
})
