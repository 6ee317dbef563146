/** The same stack in containers, when a Docker engine works: a thin layer over `docker compose`. */
import type { Server } from './server.ts'
import { portVariable, type PortName, type StackSettings } from './settings.ts'
import { run, say } from './shell.ts'
import { writeStackFile } from './stack-file.ts'

/** Starts the servers with `docker compose up --wait` and writes their addresses. */
export async function composeUp(
  projectDir: string,
  settings: StackSettings,
  servers: readonly Server[],
): Promise<void> {
  await requireEngine()
  const names = servers.map(({ name }) => name)
  await compose(projectDir, settings, ['up', '--detach', '--wait', ...names])
  await writeStackFile(settings, new Map(servers.map((server) => [server.name, server.address(settings)])))
  for (const server of servers) say(`${server.name.padEnd(9)} up         ${server.address(settings)}`)
}

/** Removes the containers (and with them their data: the compose file keeps no named volumes). */
export async function composeDown(projectDir: string, settings: StackSettings, wipe: boolean): Promise<void> {
  await requireEngine()
  await compose(projectDir, settings, ['down', ...(wipe ? ['--volumes'] : [])])
  await writeStackFile(settings, new Map())
}

async function requireEngine(): Promise<void> {
  const remedy = 'Start a Docker engine with its compose plug-in, or leave --docker out to run the servers natively.'
  await run('docker', ['info'], { remedy })
  await run('docker', ['compose', 'version'], { remedy })
}

async function compose(projectDir: string, { ports }: StackSettings, args: readonly string[]): Promise<void> {
  const names = Object.keys(ports) as PortName[]
  const portEnvironment = Object.fromEntries(names.map((name) => [portVariable(name), String(ports[name])]))
  await run('docker', ['compose', ...args], { cwd: projectDir, env: { ...process.env, ...portEnvironment } })
}
