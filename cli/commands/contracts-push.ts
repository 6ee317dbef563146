/** `laban contracts push`: registers the contracts. Services only look their schemas up; registering belongs to a deployment. */
import { relative } from 'node:path'
import { LabanError } from '../../runtime/internal.ts'
import { defineCommand } from '../command.ts'

export const contractsPush = defineCommand({
  name: 'contracts push',
  summary: 'Register the contracts with the schema registry',
  description:
    'Sets FULL_TRANSITIVE on each subject, then registers what is not there yet. Nothing is registered when a contract is ' +
    'incompatible with its history. Running it again changes nothing.',
  options: {
    release: { kind: 'flag', summary: 'Also record the pushed versions in <contractsDir>/history, to be committed' },
  },
  examples: [
    { command: 'laban contracts push', explains: 'Before agents with new contracts start' },
    { command: 'laban contracts push --release', explains: 'When the versions are final: later ones must fit them' },
  ],
  async run(_args, { release }, { output, load }) {
    const { contractsOf, localStackValues, openRegistry } = await import('../../runtime/internal.ts')
    const { checkFullTransitive, resolveSchemaIds, subjectOf } = await import('../../contracts/index.ts')
    const { config } = await load(localStackValues())
    if (config.registry.url === undefined) {
      throw new LabanError('LABAN_CONFIG_INVALID', {
        path: 'registry.url',
        origin: 'default',
        problem: 'no registry is configured',
      })
    }
    const contracts = contractsOf(config)
    for (const { name: topic, schema } of contracts.topics.values()) {
      const [first] = checkFullTransitive(schema, contracts.history(topic))
      if (first !== undefined) throw new LabanError('LABAN_CONTRACT_INCOMPATIBLE', { topic, ...first })
    }
    const registry = await openRegistry(config, contracts)
    let added = 0
    for (const { name, schemaText } of contracts.topics.values()) {
      const subject = subjectOf(name, config.namespace)
      const isKnown = (await registry.lookup(subject, schemaText)) !== undefined
      const ids = await resolveSchemaIds(contracts, registry, [name], { register: true, namespace: config.namespace })
      if (!isKnown) added++
      output.line(
        `${subject}  id ${ids.get(name) ?? ''}  ${isKnown ? 'unchanged' : output.style('green', 'registered')}`,
      )
    }
    await registry.close()
    output.note(`${added} registered, ${contracts.topics.size - added} unchanged at ${config.registry.url}`)
    if (!release) return
    const { recordRelease } = await import('../release-history.ts')
    const files = await recordRelease(contracts, config.contractsDir)
    for (const file of files) output.note(`recorded ${relative(process.cwd(), file)}`)
  },
})
