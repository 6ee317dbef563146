/** Tells when source files below some folders have changed and come to rest. */
import { watch, type FSWatcher } from 'node:fs'
import { resolve, sep } from 'node:path'

/** Editors write a file in several steps; the last one counts. */
const REST_MS = 100
const PASSED_OVER = ['node_modules', '.git', '.laban', 'dist']
const WATCHED = /\.(ts|mts|js|mjs|json|avsc)$/

/** Calls back with the changed files (paths relative to their folder). Returns what ends the watch. */
export function watchFiles(folders: readonly string[], onChange: (files: readonly string[]) => void): () => void {
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  const tell = (): void => {
    const files = [...changed]
    changed.clear()
    onChange(files)
  }
  const watchers: FSWatcher[] = folders.map((folder) =>
    watch(folder, { recursive: true }, (_event, name) => {
      if (name === null || !WATCHED.test(name) || name.split(sep).some((part) => PASSED_OVER.includes(part))) return
      changed.add(name)
      clearTimeout(timer)
      timer = setTimeout(tell, REST_MS)
    }),
  )
  return () => {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
}

/** The folders that globs of agent files begin in: the parts before the first wildcard. */
export function watchRoots(globs: readonly string[], baseDir: string): string[] {
  const roots = globs.map((glob) => {
    const parts = glob.split('/')
    const wild = parts.findIndex((part) => /[*?[{]/.test(part))
    return resolve(baseDir, ...(wild === -1 ? parts.slice(0, -1) : parts.slice(0, wild)))
  })
  return [...new Set(roots)]
}
