/**
 * `node infra/build-console.ts <folder>`: bundles the console's page into a folder, in one step: it is there whole or not at all. No
 * file is inlined and no code is evaluated at run time, because the page is served under a strict content security policy.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { build } from 'vite'

const webDir = join(import.meta.dirname, '..', 'console', 'web')
const outDir = resolve(process.argv[2] ?? join(import.meta.dirname, '..', 'dist', 'console', 'web'))

// Tests and tools set it otherwise, and React would come with everything that helps its developers: twice the size.
process.env['NODE_ENV'] = 'production'
mkdirSync(dirname(outDir), { recursive: true })
const scratch = mkdtempSync(`${outDir}-`)
try {
  await build({
    root: webDir,
    configFile: false,
    logLevel: 'warn',
    base: '/',
    build: {
      outDir: scratch,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      target: 'es2023',
      reportCompressedSize: false,
      rolldownOptions: {
        // Marks for servers that render React; there is none here.
        onLog: (level, log, tell) => (log.code === 'MODULE_LEVEL_DIRECTIVE' ? undefined : tell(level, log)),
      },
    },
  })
  put(scratch)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** Somebody else may have made the same bundle meanwhile; a folder cannot be renamed over one that is not empty. */
function put(from: string): void {
  if (!existsSync(outDir)) return renameSync(from, outDir)
  cpSync(from, outDir, { recursive: true })
}
