/** `laban agents`: what is announced: agents, their instances, topics, and when each was last heard of. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

/** Instances announce themselves every 10 s; three times that is silence. */
const SILENT_AFTER_MS = 30_000

export const agents = defineCommand({
  name: 'agents',
  summary: 'List agents and their instances',
  options: {
    all: { kind: 'flag', summary: 'Also instances that have stopped' },
    on: ON_OPTION,
    json: { kind: 'flag', summary: 'The manifests as JSON' },
  },
  examples: [{ command: 'laban agents', explains: 'Who runs, in which version, on which topics' }],
  async run(_args, options, context) {
    const { commandLog, openTarget } = await import('../target.ts')
    const { readingSource } = await import('../reading-source.ts')
    const { readManifests, systemClock } = await import('../../runtime/internal.ts')
    const { durationText } = await import('../../tracing/index.ts')
    const { isPlatformAgent } = await import('../../contracts/index.ts')
    const { tableLines } = await import('../table.ts')
    const { output } = context
    const target = await openTarget(context, { on: options.on, purpose: 'read', log: commandLog() })
    try {
      const manifests = (await readManifests(readingSource(target.stack)))
        .filter(({ state }) => options.all || state !== 'stopped')
        .sort((a, b) => a.agent.localeCompare(b.agent) || a.instance.localeCompare(b.instance))
      if (options.json) return output.json(manifests)
      const nowMs = systemClock.nowMs()
      const rows = manifests.map((manifest) => {
        const silentMs = Math.max(0, nowMs - manifest.seenAtMs)
        const state = manifest.state !== 'stopped' && silentMs > SILENT_AFTER_MS ? 'silent' : manifest.state
        const consumes = manifest.consumes.join(manifest.join ? ' + ' : ', ')
        const produces = [...manifest.always, ...manifest.oneOf, ...manifest.maybe].join(', ')
        const topics = `${consumes} -> ${produces === '' ? 'nothing' : produces}`
        const name = isPlatformAgent(manifest.agent) ? `${manifest.agent} (platform)` : manifest.agent
        return [name, manifest.version, state, manifest.instance, `${durationText(silentMs)} ago`, topics]
      })
      const [header = '', ...lines] = tableLines(['AGENT', 'VERSION', 'STATE', 'INSTANCE', 'SEEN', 'TOPICS'], rows)
      output.line(output.style('dim', header))
      for (const line of lines) output.line(line)
      output.note(output.styleNote('dim', `${rows.length} instances, from ${target.description}`))
    } finally {
      await target.stack.close()
    }
  },
})
