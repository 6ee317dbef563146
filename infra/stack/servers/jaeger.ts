/** Jaeger 2, built from its Go module inside a small module of ours (`go install` refuses modules with replace directives). */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureCached } from '../cache.ts'
import type { Server } from '../server.ts'
import { versions, type StackSettings } from '../settings.ts'
import { run } from '../shell.ts'
import { ensureGo } from '../toolchain.ts'

const assets = join(import.meta.dirname, '..', 'jaeger')
const cacheName = `jaeger-${versions.jaeger}`
const goPackage = 'github.com/jaegertracing/jaeger/cmd/jaeger'

/** The trace store and its query API. */
export const jaeger: Server = {
  name: 'jaeger',
  ports: ['jaeger', 'otlpHttp', 'otlpGrpc'],
  startLimitMs: 30_000,
  address: ({ host, ports }) => `http://${host}:${ports.jaeger}`,
  install: installJaeger,
  prepare: async ({ cacheDir, stackDir, host, ports }) => {
    const dir = join(stackDir, 'jaeger')
    const configFile = join(dir, 'config.yaml')
    await mkdir(dir, { recursive: true })
    await copyFile(join(assets, 'config.yaml'), configFile)
    const env = {
      ...process.env,
      JAEGER_HOST: host,
      JAEGER_UI_PORT: String(ports.jaeger),
      JAEGER_OTLP_HTTP_PORT: String(ports.otlpHttp),
      JAEGER_OTLP_GRPC_PORT: String(ports.otlpGrpc),
    }
    const command = join(cacheDir, cacheName, 'jaeger')
    return { command, args: [`--config=${configFile}`], cwd: dir, env, marker: configFile }
  },
  probe: async (settings) => {
    const { host, ports } = settings
    const signal = AbortSignal.timeout(5000)
    const services = await fetch(`${jaeger.address(settings)}/api/services`, { signal })
    if (!services.ok) throw new Error(`Jaeger answers ${services.status}`)
    const headers = { 'content-type': 'application/json' }
    const empty = { method: 'POST', headers, body: '{"resourceSpans":[]}', signal }
    const accepted = await fetch(`http://${host}:${ports.otlpHttp}/v1/traces`, empty)
    if (!accepted.ok) throw new Error(`Jaeger's OTLP receiver answers ${accepted.status}`)
  },
}

async function installJaeger({ cacheDir }: StackSettings): Promise<void> {
  await ensureCached(cacheDir, cacheName, async (scratch) => {
    const go = await ensureGo(cacheDir)
    const remedy =
      'The Go module proxy must be reachable. Or leave Jaeger out: npm run stack -- up --only kafka,registry,redis,postgres'
    const build = ['build', '-mod=readonly', '-trimpath', '-ldflags=-s -w', '-o', join(scratch, 'jaeger'), goPackage]
    await run(go, build, { cwd: assets, remedy })
  })
}
