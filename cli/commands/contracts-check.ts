/** `laban contracts check`: are the contracts FULL_TRANSITIVE with what was released, in the folder and in the registry? */
import { relative } from 'node:path'
import type { ContractSet, Incompatibility, SchemaRegistry, TopicContract } from '../../contracts/index.ts'
import { defineCommand } from '../command.ts'

const INCOMPATIBLE_EXIT = 65

/** What is wrong with one topic, as printed and as JSON. */
interface Finding extends Incompatibility {
  readonly topic: string
  /** The schema's file. */
  readonly file: string
  readonly against: 'history' | 'registry'
  readonly version: number
  readonly direction: 'backward' | 'forward'
}

export const contractsCheck = defineCommand({
  name: 'contracts check',
  summary: 'Compare the contracts with their released versions',
  description:
    'FULL_TRANSITIVE: agents of any version must read events of any other. Compares with <contractsDir>/history, and with the ' +
    'registry when one is configured. Exits with 65 when a contract is incompatible, and says where.',
  options: {
    offline: { kind: 'flag', summary: 'Only the folder; ask no registry' },
    json: { kind: 'flag', summary: 'As JSON' },
  },
  examples: [
    { command: 'laban contracts check --offline', explains: 'In CI, with nothing running' },
    { command: 'laban contracts check', explains: 'Before a deployment, with the registry it goes to' },
  ],
  async run(_args, { offline, json }, { output, load }) {
    const { contractsOf, LabanError, localStackValues, openRegistry } = await import('../../runtime/internal.ts')
    const { config } = await load(offline ? undefined : localStackValues())
    const contracts = contractsOf(config)
    const asksRegistry = !offline && config.registry.url !== undefined
    const registry = asksRegistry ? await openRegistry(config, contracts) : undefined
    const findings = await check(contracts, registry, config.namespace)
    await registry?.close()
    if (json) output.json({ topics: contracts.topics.size, findings })
    else {
      for (const { topic, against, version, direction, path, problem } of findings) {
        output.line(`${topic}  ${path}: ${problem} (${direction}, version ${version} in the ${against})`)
      }
      for (const [file, finding] of new Map(findings.map((each) => [each.file, each]))) {
        const { remedy } = new LabanError('LABAN_CONTRACT_INCOMPATIBLE', { ...finding })
        output.line(`${output.style('dim', '->')} ${relative(process.cwd(), file)}: ${remedy}`)
      }
      const where = asksRegistry ? 'history and registry' : 'history'
      const verdict = findings.length === 0 ? 'compatible' : `${findings.length} incompatibilities`
      output.note(`${contracts.topics.size} contracts against ${where}: ${verdict}`)
    }
    return findings.length === 0 ? 0 : INCOMPATIBLE_EXIT
  },
})

async function check(
  contracts: ContractSet,
  registry: SchemaRegistry | undefined,
  namespace: string,
): Promise<Finding[]> {
  const { checkFullTransitive } = await import('../../contracts/index.ts')
  const findings: Finding[] = []
  for (const contract of contracts.topics.values()) {
    const { name: topic, file } = contract
    const found = checkFullTransitive(contract.schema, contracts.history(topic))
    findings.push(...found.map((finding) => ({ topic, file, against: 'history' as const, ...finding })))
    if (registry !== undefined) findings.push(...(await checkRegistry(contract, registry, namespace)))
  }
  return findings
}

/** Our own check explains by path; the registry's is asked too, because it is the one that will refuse. */
async function checkRegistry(contract: TopicContract, registry: SchemaRegistry, namespace: string): Promise<Finding[]> {
  const { checkFullTransitive, subjectOf } = await import('../../contracts/index.ts')
  const { name: topic, file, schema, schemaText } = contract
  const subject = subjectOf(topic, namespace)
  const found = checkFullTransitive(schema, await registry.versions(subject))
  if (found.length > 0) return found.map((finding) => ({ topic, file, against: 'registry' as const, ...finding }))
  const messages = await registry.incompatibilities(subject, schemaText)
  return messages.map((problem) => {
    return {
      topic,
      file,
      against: 'registry' as const,
      version: 0,
      direction: 'backward' as const,
      path: 'value',
      problem,
    }
  })
}
