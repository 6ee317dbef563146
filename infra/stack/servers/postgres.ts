/** PostgreSQL, from the machine's packages, in a data folder of the stack; it refuses to run as root, so root lends it the user `postgres`. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, chown, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Server } from '../server.ts'
import { postgresLogin, versions, type StackSettings } from '../settings.ts'
import { findProgram, run } from '../shell.ts'
import { StackError } from '../stack-error.ts'
import { installPackage } from '../toolchain.ts'

/** The ledger's database. */
export const postgres: Server = {
  name: 'postgres',
  ports: ['postgres'],
  startLimitMs: 60_000,
  address: (settings) => urlOf(settings, postgresLogin.database),
  install: async ({ cacheDir }) => {
    await ensurePrograms(cacheDir)
  },
  prepare: async (settings) => {
    const bin = await ensurePrograms(settings.cacheDir)
    const owner = await dataOwner()
    const dir = await ensureDataDir(settings, bin, owner)
    const options = {
      listen_addresses: settings.host,
      port: String(settings.ports.postgres),
      unix_socket_directories: '',
      max_connections: '200',
    }
    const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    return { command: join(bin, 'postgres'), args: ['-D', dir, ...flags], cwd: dir, marker: dir, ...owner }
  },
  probe: (settings) => query(settings, 'postgres', 'select 1').then(() => undefined),
  wipe: async (settings) => {
    await rm(await chooseDataDir(settings.stackDir, await dataOwner().catch(() => ({}))), {
      recursive: true,
      force: true,
    })
  },
  afterStart: async (settings) => {
    const { database } = postgresLogin
    const found = await query(settings, 'postgres', `select 1 from pg_database where datname = '${database}'`)
    if (found === 0) await query(settings, 'postgres', `create database ${database}`)
  },
}

interface Owner {
  readonly uid?: number
  readonly gid?: number
}

function urlOf({ host, ports }: StackSettings, database: string): string {
  const { user, password } = postgresLogin
  return `postgres://${user}:${password}@${host}:${ports.postgres}/${database}`
}

async function query(settings: StackSettings, database: string, sql: string): Promise<number> {
  const client = new pg.Client({ connectionString: urlOf(settings, database), connectionTimeoutMillis: 2000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query(sql)).rowCount ?? 0
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Folder of PostgreSQL's programs, which Debian keeps off PATH. */
async function ensurePrograms(cacheDir: string): Promise<string> {
  const found = findPrograms()
  if (found !== undefined) return found
  const remedy = `Install PostgreSQL ${versions.postgres} or later so that initdb and postgres are on PATH.`
  await installPackage(cacheDir, 'postgresql', remedy)
  const installed = findPrograms()
  if (installed !== undefined) return installed
  throw new StackError('PostgreSQL was installed but initdb is not found', remedy)
}

function findPrograms(): string | undefined {
  const root = '/usr/lib/postgresql'
  const majors = existsSync(root) ? readdirSync(root).map(Number) : []
  const recent = majors.filter((major) => major >= Number(versions.postgres)).sort((a, b) => b - a)
  const program = findProgram(
    'initdb',
    recent.map((major) => join(root, String(major), 'bin')),
  )
  return program === undefined ? undefined : join(program, '..')
}

async function dataOwner(): Promise<Owner> {
  if (process.getuid?.() !== 0) return {}
  const remedy = 'PostgreSQL does not run as root: add a user named postgres, or run the stack as another user.'
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'], { remedy })))
  return { uid: Number(uid), gid: Number(gid) }
}

async function ensureDataDir(settings: StackSettings, bin: string, owner: Owner): Promise<string> {
  const dir = await chooseDataDir(settings.stackDir, owner)
  if (existsSync(join(dir, 'PG_VERSION'))) return dir
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  await chmod(dir, 0o700)
  if (owner.uid !== undefined && owner.gid !== undefined) await chown(dir, owner.uid, owner.gid)
  const login = ['-U', postgresLogin.user, '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8']
  await run(join(bin, 'initdb'), ['-D', dir, ...login], { ...owner, cwd: dir })
  return dir
}

/** A project below a private folder (such as root's home) is closed to the user postgres: its data then goes to /var/tmp. */
async function chooseDataDir(stackDir: string, owner: Owner): Promise<string> {
  const inside = join(stackDir, 'postgres')
  await mkdir(stackDir, { recursive: true })
  const isOpen = await run('test', ['-x', stackDir], { ...owner, cwd: '/' }).then(
    () => true,
    () => false,
  )
  if (isOpen) return inside
  return join('/var/tmp', `laban-postgres-${createHash('sha256').update(stackDir).digest('hex').slice(0, 12)}`)
}
