/** Alerts, runbooks and dashboard speak of metrics that exist, and every alert has its page and its test. */
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../cli/command-table.ts'
import { flagOf, GLOBAL_OPTIONS } from '../../cli/command.ts'
import { METRIC_TABLE, prometheusSeries, type MetricName } from '../../tracing/metrics.ts'
import { projectFiles, read } from './project-files.ts'

const RULES = 'infra/prometheus/alerts.yaml'
const series = new Set((Object.keys(METRIC_TABLE) as MetricName[]).flatMap(prometheusSeries))
const recorded = new Set([...read(RULES).matchAll(/- record: (\S+)/g)].map(([, name = '']) => name))

const alerts = [...read(RULES).matchAll(/- alert: (\w+)\n([\s\S]*?)(?=\n {6}- alert|\n\n {2}- name|$(?![\s\S]))/g)].map(
  ([, name = '', body = '']) => ({ name, body }),
)
const runbooks = projectFiles().filter((path) => path.startsWith('docs/runbooks/') && !path.endsWith('/README.md'))

/** Names of laban's metrics and recorded series in an expression or a page that exist nowhere. */
function unknownIn(text: string): string[] {
  const metrics = text.match(/\b(?:laban|nodejs|process)_[a-z0-9_]+/g) ?? []
  const rules = text.match(/\blaban:[a-z0-9_:]+/g) ?? []
  return [...metrics.filter((name) => !isKnown(name)), ...rules.filter((name) => !recorded.has(name))]
}

/** Pages may name a histogram, or the beginning of several names. */
function isKnown(name: string): boolean {
  return series.has(name) || [...series].some((known) => known.startsWith(`${name}_`))
}

describe('alerts', () => {
  it('are found', () => {
    expect(alerts.length).toBeGreaterThan(15)
  })

  it('ask for series that exist', () => {
    expect(unknownIn(read(RULES))).toEqual([])
    expect(unknownIn(read('infra/prometheus/alerts.test.yaml'))).toEqual([])
    expect(unknownIn('laban_no_such_thing > 0 and laban:nothing')).toHaveLength(2)
  })

  it.each(alerts)('$name has a severity, a runbook that names it, and a test', ({ name, body }) => {
    expect(body).toMatch(/severity: (page|ticket)/)
    const [, page = ''] = /runbook_url: (docs\/runbooks\/[a-z-]+\.md)/.exec(body) ?? []
    expect(runbooks).toContain(page)
    expect(read(page)).toContain(`Alert \`${name}\``)
    expect(read('infra/prometheus/alerts.test.yaml')).toContain(`alertname: ${name}\n`)
  })
})

interface Dashboard {
  readonly uid: string
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly type: string
    readonly gridPos: { readonly x: number; readonly w: number }
    readonly description?: string
    readonly targets?: readonly { readonly expr: string }[]
  }[]
}

describe('the dashboard', () => {
  const { uid, panels } = JSON.parse(read('infra/grafana/laban.json')) as Dashboard
  const drawn = panels.filter(({ type }) => type !== 'row')

  it('has panels with ids of their own that fit the page', () => {
    expect(uid).toBe('laban')
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
  })

  it.each(drawn)('"$title" says what it shows, and asks for series that exist', ({ description, targets = [] }) => {
    expect(description).toMatch(/\.$/)
    expect(targets.length).toBeGreaterThan(0)
    for (const { expr } of targets) {
      const asked = expr.match(/\b(?:laban|nodejs|process)_[a-z0-9_]+/g) ?? []
      expect(asked.length).toBeGreaterThan(0)
      expect(asked.filter((name) => !series.has(name))).toEqual([])
    }
  })

  it('shows every metric of the table that something can go wrong with', () => {
    const asked = drawn.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n')
    const unseen = (Object.keys(METRIC_TABLE) as MetricName[]).filter(
      (name) => !prometheusSeries(name).some((one) => asked.includes(one)),
    )
    expect(unseen).toEqual([
      'laban.handling.rejected',
      'laban.handling.suspended',
      'laban.agent.info',
      'laban.agent.consuming',
      'laban.consumer.drain_eta',
      'laban.partition.standstill_age',
      'laban.join.members',
      'laban.lease.renewals',
      'nodejs.eventloop.utilization',
    ])
  })
})

describe('the example of a configuration', () => {
  it('scrapes the agents of docker-compose.yml, on the port that they have', () => {
    const targets = [...read('infra/prometheus/prometheus.yaml').matchAll(/- ([a-z-]+):9464$/gm)].map(
      ([, name]) => name,
    )
    const services = [
      ...read('docker-compose.yml').matchAll(/^ {2}([a-z-]+):\n {4}<<: \*agent\n {4}command: \[services/gm),
    ]
    expect(targets).toEqual(services.map(([, name]) => name))
  })
})

describe('runbooks', () => {
  it.each(runbooks)('%s belongs to an alert, and says how to look and what not to do', (page) => {
    expect(alerts.some(({ body }) => `${body}\n`.includes(`runbook_url: ${page}\n`))).toBe(true)
    for (const heading of ['## Look', '## Resolve', '## Do not']) expect(read(page)).toContain(`\n${heading}\n`)
    expect(unknownIn(read(page))).toEqual([])
  })

  it.each(runbooks)('%s names commands and options that exist', (page) => {
    const lines = [...read(page).matchAll(/(?:^|`)laban ([a-z][^`#\n]*)/gm)].map(([, line = '']) => line.trim())
    for (const line of lines) {
      const command = COMMANDS.find(({ name }) => line === name || line.startsWith(`${name} `))
      expect(command, line).toBeDefined()
      const known = Object.keys({ ...GLOBAL_OPTIONS, ...command?.options }).map(flagOf)
      for (const flag of line.match(/--[a-z-]+/g) ?? []) expect(known, line).toContain(flag)
    }
  })
})
