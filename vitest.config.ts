/**
 * Two projects: `fast` needs only Node; `stack` needs the real servers (npm run stack -- up). Tests see the sources, because
 * `import ... from 'laban'` resolves by the condition `laban-source`.
 */
import { defineConfig } from 'vitest/config'
import type { TestProjectInlineConfiguration } from 'vitest/config'

// Vitest hands these to Node as well, where `import` among them would make `require` load ES modules.
const conditions = ['laban-source', 'node']
const resolve = { conditions }
const ssr = { resolve: { conditions, externalConditions: conditions } }

/** What both projects share. Processes, not threads: tests change environment, signals and working directory. */
const shared = {
  pool: 'forks',
  execArgv: ['--conditions=laban-source'],
  // Two files at a time: the machines that run this have two cores, and the servers need one of them.
  maxWorkers: 2,
  unstubEnvs: true,
} as const satisfies TestProjectInlineConfiguration['test']

const resultsFile = process.env['LABAN_TEST_RESULTS']

export default defineConfig({
  resolve,
  ssr,
  test: {
    // A promise that nobody awaited and that rejects fails the run, whatever the tests said.
    dangerouslyIgnoreUnhandledErrors: false,
    // `npm test` collects the results of its runs; a run by hand leaves no file behind.
    reporters: resultsFile === undefined ? ['default'] : ['default', 'json'],
    ...(resultsFile === undefined ? {} : { outputFile: { json: resultsFile } }),
    coverage: { provider: 'v8', include: ['contracts/**', 'runtime/**', 'tracing/**', 'cli/**', 'services/**'] },
    projects: [
      {
        resolve,
        ssr,
        test: {
          ...shared,
          name: 'fast',
          include: [
            'test/{unit,property,types,architecture}/**/*.test.ts',
            'test/conformance/**/*.memory.test.ts',
            'services/**/*.test.ts',
          ],
          testTimeout: 15_000,
          hookTimeout: 15_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          ...shared,
          name: 'stack',
          include: [
            'test/conformance/**/*.{kafka,redis,confluent,postgres}.test.ts',
            'test/{integration,e2e}/**/*.test.ts',
          ],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
