/**
 * The alerts as Prometheus understands them, and as they fire: a real Prometheus scrapes real agents while something goes wrong.
 * Only the waiting times of the rules are shortened.
 */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Deployment } from '../../harness/processes.ts'
import { promtool, startPrometheus, type Prometheus, type SeenAlert } from '../../harness/prometheus.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { temporaryFolder } from '../../harness/temporary-folder.ts'
import { TcpProxy } from '../../harness/tcp-proxy.ts'
import { waitFor } from '../../harness/wait.ts'
import { TRIAL_CONTRACTS } from '../../e2e/agents/trial.ts'

const RULES_DIR = join(import.meta.dirname, '..', '..', '..', 'infra', 'prometheus')
const FRAGILE = join(import.meta.dirname, '..', '..', 'e2e', 'agents', 'fragile.ts')

async function check(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(await promtool(), args, { cwd: RULES_DIR })
  return stdout
}

describe('promtool', () => {
  it('accepts the rules and the example', async () => {
    expect(await check('check', 'rules', 'alerts.yaml')).toContain('SUCCESS')
    expect(await check('check', 'config', 'prometheus.yaml')).toContain('SUCCESS')
  })

  it('can read every expression of the dashboard', async () => {
    const dashboard = await readFile(join(RULES_DIR, '..', 'grafana', 'laban.json'), 'utf8')
    const { panels } = JSON.parse(dashboard) as { panels: { targets?: { expr: string }[] }[] }
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    // Grafana fills these in.
    const rules = expressions.map((expr, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$agent', '.*'),
    }))
    const file = join(await temporaryFolder(), 'panels.yaml')
    await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }))
    expect(await check('check', 'rules', file)).toContain(`${expressions.length} rules found`)
  })

  it('finds that every alert fires when it must and stays quiet when it must', async () => {
    expect(await check('test', 'rules', 'alerts.test.yaml')).toContain('SUCCESS')
  })
})

describe('a real Prometheus on real agents', () => {
  it('fires for a dead letter, for a Redis that is cut off, and for a process that was killed', async () => {
    const redis = await TcpProxy.start(await stackAddress('redisUrl'))
    onTestFinished(() => redis.refuse())
    const deployment = await Deployment.make('alerts', { agents: [FRAGILE], contractsDir: TRIAL_CONTRACTS })
    onTestFinished(() => deployment.stop().then(() => undefined))
    const agent = deployment.start([FRAGILE], {
      LABAN_REDIS_URL: redis.url,
      LABAN_KAFKA_SESSION_TIMEOUT_MS: '3000',
      LABAN_LEASE_MS: '3000',
    })
    const log = await deployment.open()
    onTestFinished(() => log.close())
    await agent.ready
    const prometheus = await startPrometheus(await impatientRules(), [agent.address()])
    onTestFinished(() => prometheus.close())
    await waitFor(async () => (await prometheus.value('sum(laban_handling_dead_letters_total)')) === 0, {
      timeoutMs: 15_000,
      what: 'the first scrape',
    })
    expect(await prometheus.alerts()).toEqual([])

    const producer = await log.broker.producer()
    const value = log.codec.encode('trial.begun', { number: 1, lane: 'odd' })
    await producer.send([{ topic: 'trial.begun', key: 'odd', value, headers: {} }])
    await producer.close()
    const letters = await firing(prometheus, 'LabanDeadLetters')
    expect(letters.labels).toMatchObject({ agent: 'trial.fragile', severity: 'ticket' })
    expect(letters.annotations['runbook_url']).toBe('docs/runbooks/dead-letters.md')

    const top = await deployment.laban(['top', '--json', '--every', '1'])
    expect(JSON.parse(top.stdout)).toMatchObject({
      flows: null,
      agents: [{ agent: 'trial.fragile', state: 'running', instances: 1, lag: 0, deadLetters: 1 }],
    })

    await redis.refuse()
    expect((await firing(prometheus, 'LabanDependencyDown')).labels).toMatchObject({ dependency: 'store' })
    await firing(prometheus, 'LabanNotReady')
    await redis.accept()
    await waitFor(
      async () => !(await prometheus.alerts()).some(({ labels }) => labels['alertname'] === 'LabanNotReady'),
      {
        timeoutMs: 20_000,
        what: 'the alert to end',
      },
    )

    await agent.end('SIGKILL')
    await firing(prometheus, 'LabanInstanceDown')
    expect((await firing(prometheus, 'LabanAgentGone')).labels).toMatchObject({ agent: 'trial.fragile' })
  })
})

/** The rules as they are, but nobody waits for minutes. */
async function impatientRules(): Promise<string> {
  const rules = await readFile(join(RULES_DIR, 'alerts.yaml'), 'utf8')
  return rules.replaceAll(/^( +for:) .*$/gm, '$1 1s')
}

function firing(prometheus: Prometheus, name: string): Promise<SeenAlert> {
  const find = async (): Promise<SeenAlert | undefined> =>
    (await prometheus.alerts()).find(({ labels, state }) => labels['alertname'] === name && state === 'firing')
  return waitFor(find, { timeoutMs: 30_000, what: `${name} to fire` })
}
