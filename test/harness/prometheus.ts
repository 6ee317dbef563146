/** A Prometheus of one's own, started on a free port with a short interval, and its rule checker. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveSettings } from '../../infra/stack/settings.ts'
import { ensureProgram } from '../../infra/stack/toolchain.ts'
import { freePort } from './free-port.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { waitFor } from './wait.ts'

const { cacheDir } = resolveSettings(join(import.meta.dirname, '..', '..'), process.env)

/** An alert as Prometheus sees it now. */
export interface SeenAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
}

/** A running Prometheus. */
export interface Prometheus {
  /** Alerts that are pending or fire now. */
  alerts(): Promise<readonly SeenAlert[]>
  /** Value of an expression's first series; undefined when it has none. */
  value(expression: string): Promise<number | undefined>
  close(): Promise<void>
}

/** Path of `promtool`; its package is installed when it is missing. */
export function promtool(): Promise<string> {
  return ensureProgram(cacheDir, 'promtool', 'prometheus')
}

/** Starts Prometheus with rules on some targets (host:port), scraping and judging every half second. */
export async function startPrometheus(rules: string, targets: readonly string[]): Promise<Prometheus> {
  const program = await ensureProgram(cacheDir, 'prometheus', 'prometheus')
  const dir = await temporaryFolder()
  const address = `127.0.0.1:${await freePort()}`
  await writeFile(join(dir, 'alerts.yaml'), rules)
  await writeFile(join(dir, 'prometheus.yaml'), configuration(targets))
  const child = spawn(
    program,
    [
      `--config.file=${join(dir, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: 'ignore' },
  )
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://${address}/api/v1/${path}`)
    return ((await response.json()) as { data: unknown }).data
  }
  await waitFor(async () => (await fetch(`http://${address}/-/ready`)).ok, { timeoutMs: 20_000, what: 'Prometheus' })
  return {
    alerts: async () => ((await ask('alerts')) as { alerts: SeenAlert[] }).alerts,
    value: async (expression) => {
      const { result } = (await ask(`query?query=${encodeURIComponent(expression)}`)) as {
        result: { value: [number, string] }[]
      }
      return result[0] === undefined ? undefined : Number(result[0].value[1])
    },
    close: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

function configuration(targets: readonly string[]): string {
  return [
    'global: { scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms }',
    'rule_files: [alerts.yaml]',
    `scrape_configs: [{ job_name: laban, static_configs: [{ targets: [${targets.map((at) => `'${at}'`).join(', ')}] }] }]`,
    '',
  ].join('\n')
}
