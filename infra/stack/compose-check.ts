/** Proves that `docker-compose.yml` and `settings.ts` say the same (images, ports, flags), and that Compose accepts the file. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  defaultPorts,
  heaps,
  images,
  kafkaProperties,
  portVariable,
  postgresLogin,
  redisFlags,
  type PortName,
} from './settings.ts'
import { findProgram, run, say } from './shell.ts'
import { explain } from './stack-error.ts'

const projectDir = join(import.meta.dirname, '..', '..')

/** What the compose file lacks or says otherwise; empty when it agrees with the settings. */
export function findDisagreements(composeText: string): readonly string[] {
  const published = (Object.keys(defaultPorts) as PortName[]).filter((name) => name !== 'kafkaController')
  const expected = [
    ...Object.values(images).map((image) => `image: ${image}\n`),
    ...published.map((name) => `'127.0.0.1:\${${portVariable(name)}:-${defaultPorts[name]}}:`),
    ...Object.entries(kafkaProperties).map(([key, value]) => `${environmentName(key)}: '${value}'\n`),
    ...Object.entries(redisFlags).map(([flag, value]) => `--${flag}, ${value === 'yes' ? "'yes'" : value},`),
    ...Object.values(heaps).map((heap) => `: ${heap}\n`),
    `POSTGRES_USER: ${postgresLogin.user}\n`,
    `POSTGRES_PASSWORD: ${postgresLogin.password}\n`,
    `POSTGRES_DB: ${postgresLogin.database}\n`,
  ]
  const missing = expected.filter((text) => !composeText.includes(text)).map((text) => `lacks \`${text.trim()}\``)
  return [...missing, ...findUnpinnedImages(composeText), ...findMissingAgents(composeText)]
}

/** Every image has a tag that is a version. */
function findUnpinnedImages(composeText: string): string[] {
  const used = [...composeText.matchAll(/^ +image: (\S+)$/gm)].map((match) => match[1] ?? '')
  return used.filter((image) => !/:(local|v?\d+\.\d+\S*)$/.test(image)).map((image) => `${image} is not pinned`)
}

/** Every agent file that a container runs exists. */
function findMissingAgents(composeText: string): string[] {
  const files = [...composeText.matchAll(/^ +command: \[(services\/\S+)\]$/gm)].map((match) => match[1] ?? '')
  return files.filter((file) => !existsSync(join(projectDir, file))).map((file) => `${file} does not exist`)
}

/** The image turns `KAFKA_A_B` into the broker setting `a.b`. */
function environmentName(property: string): string {
  return `KAFKA_${property.toUpperCase().replaceAll('.', '_')}`
}

/** What Compose itself says against the file, with every profile on; needs a client only, no engine. */
async function findComposeErrors(): Promise<readonly string[]> {
  const compose = await findCompose()
  if (compose === undefined) {
    say('skipped: no Compose found to validate the file with (apt-get install docker-compose)')
    return []
  }
  const [command, ...args] = compose
  say(`validated by ${compose.join(' ')}`)
  return run(command, [...args, '--profile', 'credit', '--profile', 'monitoring', 'config', '--quiet'], {
    cwd: projectDir,
  }).then(
    () => [],
    (error: unknown) => [explain(error)],
  )
}

async function findCompose(): Promise<readonly [string, ...string[]] | undefined> {
  const hasPlugin = await run('docker', ['compose', 'version']).then(
    () => true,
    () => false,
  )
  if (hasPlugin) return ['docker', 'compose']
  return findProgram('docker-compose') === undefined ? undefined : ['docker-compose']
}

if (import.meta.main) {
  const text = await readFile(join(projectDir, 'docker-compose.yml'), 'utf8')
  const problems = [...findDisagreements(text), ...(await findComposeErrors())]
  for (const problem of problems) say(`docker-compose.yml: ${problem}`)
  if (problems.length === 0) say('docker-compose.yml agrees with infra/stack/settings.ts')
  process.exitCode = problems.length === 0 ? 0 : 1
}
