/** `laban topology [agents…]`: who hears whom, as announced by what runs, or as files define it. */
import type { AgentShape, Manifest } from '../../contracts/index.ts'
import type { Topology } from '../../runtime/internal.ts'
import { defineCommand, type CommandContext } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

type Kind = 'dev' | 'kafka' | 'run'

export const topology = defineCommand({
  name: 'topology',
  summary: 'Draw agents and the topics between them',
  description:
    'Without files it draws what instances have announced, in a running laban dev, on Kafka, or in the last embedded run; with files, or with ' +
    '--files for the configured ones, what they define, with nothing running.',
  arguments: [{ name: 'agents', summary: 'Agent files', isRequired: false, isVariadic: true }],
  options: {
    format: { kind: 'choice', choices: ['text', 'mermaid', 'asyncapi'], default: 'text', summary: 'How to draw it' },
    files: { kind: 'flag', summary: 'The configured agent files instead of what is announced' },
    title: { kind: 'text', metavar: 'text', default: 'laban', summary: 'Title of the AsyncAPI document' },
    on: ON_OPTION,
  },
  examples: [
    { command: 'laban topology', explains: 'What runs' },
    { command: 'laban topology --files --format mermaid', explains: 'As a picture for a README' },
    { command: 'laban topology --files --format asyncapi > asyncapi.json', explains: 'AsyncAPI 3 with Avro schemas' },
  ],
  async run(files, { format, files: configured, title, on }, context) {
    const { drawTopology, topologyAsyncApi, topologyMermaid } = await import('../../runtime/internal.ts')
    const { output } = context
    const isOfFiles = configured || files.length > 0
    const found = isOfFiles ? await ofFiles(files, context) : await ofManifests(on, context)
    const { shown } = found
    if (format === 'mermaid') output.line(topologyMermaid(shown))
    else if (format === 'asyncapi') {
      const { namespace, brokers, version } = found
      output.json(topologyAsyncApi({ ...shown, agents: found.ofFlows }, { title, version, namespace, brokers }))
    } else output.line(drawTopology(shown))
    output.note(output.styleNote('dim', `${shown.agents.length} agents, from ${found.description}`))
  },
})

interface Found {
  readonly shown: Topology
  /** Without laban's own. */
  readonly ofFlows: readonly AgentShape[]
  readonly description: string
  readonly namespace: string
  readonly brokers: readonly string[]
  /** Of the document: the versions of its agents together say what it is of; a number of its own would say nothing. */
  readonly version: string
}

async function ofFiles(files: readonly string[], { load }: CommandContext): Promise<Found> {
  const { contractsOf } = await import('../../runtime/internal.ts')
  const { discoverAgents, loadAgentFiles } = await import('../load-agents.ts')
  const { config, baseDir } = await load()
  const loaded =
    files.length > 0 ? await loadAgentFiles(files, process.cwd()) : await discoverAgents(config.agents, baseDir)
  const agents = loaded.map(({ agent }) => agent).sort((a, b) => (a.name < b.name ? -1 : 1))
  const { namespace, brokers } = config
  const shown = { agents, topics: contractsOf(config).topics }
  return {
    shown,
    ofFlows: agents,
    description: `${loaded.length} files`,
    namespace,
    brokers,
    version: newestOf(agents),
  }
}

async function ofManifests(on: Kind | undefined, context: CommandContext): Promise<Found> {
  const { readManifests } = await import('../../runtime/internal.ts')
  const { isPlatformAgent, shapesOf } = await import('../../contracts/index.ts')
  const { commandLog, openTarget } = await import('../target.ts')
  const { readingSource } = await import('../reading-source.ts')
  const target = await openTarget(context, { on, purpose: 'read', log: commandLog() })
  try {
    const manifests = await readManifests(readingSource(target.stack))
    const [platform, own] = [true, false].map((is) => manifests.filter(({ agent }) => isPlatformAgent(agent) === is))
    // Of an embedded run that has ended, everybody has stopped; it is drawn as it was.
    const agents = shapesOf([...(alive(own).length > 0 ? alive(own) : (own ?? [])), ...alive(platform)])
    const { namespace, brokers } = target.loaded.config
    const shown = { agents, topics: target.stack.contracts.topics }
    const ofFlows = agents.filter(({ name }) => !isPlatformAgent(name))
    return { shown, ofFlows, description: target.description, namespace, brokers, version: newestOf(ofFlows) }
  } finally {
    await target.stack.close()
  }
}

function alive(manifests: readonly Manifest[] = []): readonly Manifest[] {
  return manifests.filter(({ state }) => state !== 'stopped')
}

function newestOf(agents: readonly AgentShape[]): string {
  const versions = agents.map(({ version }) => version)
  return versions.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))[0] ?? '0.0.0'
}
