/** Apicurio: the schema registry with a Confluent-compatible API; its schemas live in a file, as ids in topics must stay valid. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureCached } from '../cache.ts'
import type { Launch } from '../daemon.ts'
import type { Server } from '../server.ts'
import { heaps, versions, type StackSettings } from '../settings.ts'
import { run } from '../shell.ts'
import { ensureJava, ensureMaven } from '../toolchain.ts'

const cacheName = `apicurio-${versions.registry}`

/** The schema registry. */
export const registry: Server = {
  name: 'registry',
  ports: ['registry'],
  startLimitMs: 90_000,
  address: ({ host, ports }) => `http://${host}:${ports.registry}/apis/ccompat/v7`,
  install: installRegistry,
  prepare: prepareRegistry,
  probe: async (settings) => {
    const response = await fetch(`${registry.address(settings)}/subjects`, { signal: AbortSignal.timeout(5000) })
    if (!response.ok) throw new Error(`the registry answers ${response.status}`)
    await response.json()
  },
}

async function installRegistry({ cacheDir }: StackSettings): Promise<void> {
  await ensureJava(cacheDir)
  await ensureCached(cacheDir, cacheName, async (scratch) => {
    const maven = await ensureMaven(cacheDir)
    const artifact = `io.apicurio:apicurio-registry-app:${versions.registry}:tar.gz:all`
    const remedy = 'Maven Central must be reachable (a mirror can be set in ~/.m2/settings.xml). Then run `up` again.'
    await run(maven, ['-B', '-q', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${scratch}`], {
      remedy,
    })
    await run('tar', ['xzf', `apicurio-registry-app-${versions.registry}-all.tar.gz`], { cwd: scratch })
    await run('rm', [`apicurio-registry-app-${versions.registry}-all.tar.gz`], { cwd: scratch })
  })
}

async function prepareRegistry({ cacheDir, stackDir, host, ports }: StackSettings): Promise<Launch> {
  const dir = join(stackDir, 'registry')
  await mkdir(dir, { recursive: true })
  const properties = {
    'quarkus.http.host': host,
    'quarkus.http.port': String(ports.registry),
    'apicurio.datasource.url': `jdbc:h2:file:${join(dir, 'registry')}`,
    'apicurio.rest.deletion.artifact.enabled': 'true',
    'java.util.logging.manager': 'org.jboss.logmanager.LogManager',
  }
  const flags = Object.entries(properties).map(([key, value]) => `-D${key}=${value}`)
  const jar = join(cacheDir, cacheName, `apicurio-registry-app-${versions.registry}-runner.jar`)
  return {
    command: await ensureJava(cacheDir),
    args: [heaps.registry, ...flags, '-jar', jar],
    cwd: dir,
    marker: join(dir, 'registry'),
  }
}
