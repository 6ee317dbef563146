/** `laban config keys`: the known keys with variable, default and meaning; works whatever the configuration says. */
import { defineCommand } from '../command.ts'

export const configKeys = defineCommand({
  name: 'config keys',
  summary: 'List the configuration keys with their variables and defaults',
  options: { json: { kind: 'flag', summary: 'As JSON' } },
  examples: [{ command: 'laban config keys', explains: 'Everything that can be configured' }],
  async run(_args, options, { output }) {
    const { CONFIG_KEYS } = await import('../../runtime/internal.ts')
    const keys = CONFIG_KEYS.map(({ path, variable, defaultValue, description, kind }) => ({
      ...{ path, variable, kind },
      default: defaultValue ?? null,
      description,
    }))
    if (options.json) return output.json(keys)
    for (const key of keys) {
      const shown = key.default === null ? '' : output.style('dim', ` = ${JSON.stringify(key.default)}`)
      output.line(`${output.style('bold', key.path)}${shown}`)
      output.line(`  ${key.description}`)
      output.line(`  ${output.style('dim', key.variable)}`)
    }
  },
})
