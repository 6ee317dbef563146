/** The import rules bite: a tree that breaks each of them once is reported by each, so that a rule cannot rot into silence. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cruise, type ICruiseOptions, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectDir } from './project-files.ts'

/** A file, what it imports, and the rule that forbids it. */
const BREACHES: readonly (readonly [rule: string, file: string, imports: string])[] = [
  ['no-cycles', 'runtime/handle/egg.ts', 'runtime/handle/hen.ts'],
  ['resolvable', 'runtime/handle/lost.ts', 'runtime/handle/nowhere.ts'],
  ['index-only-at-entry-points', 'runtime/handle/inside.ts', 'runtime/handle/index.ts'],
  ['tests-and-benchmarks-are-leaves', 'runtime/handle/tested.ts', 'test/harness/leaf.ts'],
  ['contracts-import-nothing', 'contracts/upward.ts', 'runtime/ports/port.ts'],
  ['tracing-imports-contracts', 'tracing/upward.ts', 'runtime/ports/port.ts'],
  ['ports-import-contracts', 'runtime/ports/upward.ts', 'tracing/leaf.ts'],
  ['stages-meet-in-ports', 'runtime/admit/sideways.ts', 'runtime/handle/leaf.ts'],
  ['an-adapter-knows-ports', 'runtime/adapters/memory/sideways.ts', 'runtime/adapters/kafka/leaf.ts'],
  ['adapters-are-chosen-in-compose', 'runtime/service/chooser.ts', 'runtime/adapters/kafka/leaf.ts'],
  ['command-line-uses-entry-points', 'cli/digger.ts', 'runtime/handle/leaf.ts'],
  ['page-knows-its-api', 'console/web/digger.ts', 'console/server/leaf.ts'],
  ['api-stands-alone', 'console/api.ts', 'runtime/index.ts'],
  ['services-meet-on-topics', 'services/one/agent.ts', 'services/two/agent.ts'],
  ['infrastructure-stands-alone', 'infra/needy.ts', 'contracts/leaf.ts'],
  ['one-home-for-kafkajs', 'runtime/adapters/redis/kafka.ts', 'node_modules/kafkajs/index.ts'],
  ['one-home-for-ioredis', 'runtime/admit/redis.ts', 'node_modules/ioredis/index.ts'],
  ['tracing-sdk-in-setup-only', 'runtime/service/spans.ts', 'node_modules/@opentelemetry/sdk-trace/index.ts'],
  ['docs-read-tables', 'docs/curious.ts', 'runtime/handle/leaf.ts'],
]

interface Rules {
  readonly forbidden: readonly IForbiddenRuleType[]
  readonly options: ICruiseOptions
}

describe('import rules', () => {
  let dir = ''
  let reported: ReadonlySet<string>

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'laban-import-rules-'))
    for (const [, file, imports] of BREACHES) {
      write(dir, file, `import type * as other from '${relativePath(file, imports)}'\nexport type X = typeof other\n`)
      if (!imports.endsWith('nowhere.ts') && !imports.endsWith('hen.ts')) write(dir, imports, 'export const x = 1\n')
    }
    write(dir, 'runtime/handle/hen.ts', `import type { X } from './egg.ts'\nexport type Y = X\n`)
    reported = await cruiseTree(dir)
  })

  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it.each(BREACHES)('%s: %s must not import %s', (rule, file, imports) => {
    const target = imports.endsWith('nowhere.ts') ? `./nowhere.ts` : imports
    expect([...reported]).toContain(`${rule}: ${file} -> ${target}`)
  })
})

async function cruiseTree(dir: string): Promise<ReadonlySet<string>> {
  const { default: rules } = (await import(join(projectDir, '.dependency-cruiser.js'))) as { default: Rules }
  // The tree has no tsconfig; everything else is as in the project.
  const ruleSet = { forbidden: [...rules.forbidden] }
  const options: ICruiseOptions = { ...rules.options, baseDir: dir, ruleSet, validate: true }
  delete options.tsConfig
  const cruised = await cruise(['.'], options)
  const { summary } = cruised.output as ICruiseResult
  return new Set(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`))
}

function write(dir: string, path: string, text: string): void {
  mkdirSync(join(dir, dirname(path)), { recursive: true })
  writeFileSync(join(dir, path), text)
}

function relativePath(from: string, to: string): string {
  const up = '../'.repeat(from.split('/').length - 1)
  return dirname(from) === dirname(to) ? `./${to.split('/').at(-1)}` : `${up}${to}`
}
