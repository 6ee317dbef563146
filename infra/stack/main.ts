/** `npm run stack -- up|down|reset|status|logs`: the real servers on this machine, natively, or in containers with `--docker`. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { composeDown, composeUp } from './docker.ts'
import { selectServers } from './servers/all.ts'
import { resolveSettings } from './settings.ts'
import { say } from './shell.ts'
import { down, logs, status, up } from './stack.ts'
import { explain, StackError } from './stack-error.ts'

const usage = `npm run stack -- <command>

  up     [--only kafka,redis] [--docker]            install what is missing, start, wait until healthy
  down   [--only kafka,redis] [--wipe] [--docker]   end the servers of this stack; --wipe removes their data
  reset  [--only kafka,redis]                       end them, remove their data, start them anew
  status [--only kafka,redis]                       exit code 1 when one is not up
  logs   [server] [--lines 40]                      paths and ends of the logs

Servers: kafka, registry, redis, postgres, jaeger.
Environment: LABAN_STACK_DIR (data), LABAN_CACHE_DIR (programs), LABAN_STACK_<KAFKA|REGISTRY|...>_PORT,
LABAN_STACK_KAFKA_VERSION (another broker than usual; give it a folder and ports of its own).`

const options = {
  only: { type: 'string' },
  lines: { type: 'string', default: '40' },
  wipe: { type: 'boolean', default: false },
  docker: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** Exit code of the command line. */
export async function main(args: readonly string[]): Promise<number> {
  const { positionals, values } = parse(args)
  const [command, serverName] = positionals
  if (values.help || command === undefined) {
    say(usage)
    return values.help ? 0 : 64
  }
  const projectDir = join(import.meta.dirname, '..', '..')
  const settings = resolveSettings(projectDir, process.env)
  const servers = selectServers(command === 'logs' ? serverName : values.only)
  switch (command) {
    case 'up':
      await (values.docker ? composeUp(projectDir, settings, servers) : up(settings, servers))
      return 0
    case 'down':
      await (values.docker ? composeDown(projectDir, settings, values.wipe) : down(settings, servers, values.wipe))
      return 0
    case 'reset':
      await down(settings, servers, true)
      await up(settings, servers)
      return 0
    case 'status':
      return (await status(settings, servers)) ? 0 : 1
    case 'logs':
      await logs(settings, servers, Number(values.lines))
      return 0
    default:
      throw new StackError(`unknown command: ${command}`, usage)
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    throw new StackError(error instanceof Error ? error.message : String(error), usage)
  }
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`)
  return error instanceof StackError ? 1 : 70
})
