/** `laban config print`: every key with its value and where it came from, secrets redacted. */
import { defineCommand } from '../command.ts'

export const configPrint = defineCommand({
  name: 'config print',
  summary: 'Print every configuration value and where it came from',
  description: 'Order: default < laban.config.json < LABAN_* environment < flags. Secrets are never printed.',
  options: { json: { kind: 'flag', summary: 'As JSON' } },
  examples: [
    { command: 'laban config print', explains: 'What a command run here would use' },
    { command: 'laban config print --set leaseMs=20000', explains: 'What a flag would change' },
  ],
  async run(_args, options, { output, load }) {
    const { describeConfig } = await import('../../runtime/internal.ts')
    const values = describeConfig(await load())
    if (options.json) return output.json(values)
    const widest = (lengths: number[]): number => Math.max(...lengths)
    const paths = widest(values.map(({ path }) => path.length))
    const texts = values.map(({ value }) => JSON.stringify(value) ?? 'null')
    const width = Math.min(40, widest(texts.map((text) => text.length)))
    values.forEach(({ path, origin }, index) => {
      const shownOrigin = origin === 'default' ? output.style('dim', origin) : output.style('cyan', origin)
      output.line(`${path.padEnd(paths)}  ${(texts[index] ?? '').padEnd(width)}  ${shownOrigin}`)
    })
  },
})
