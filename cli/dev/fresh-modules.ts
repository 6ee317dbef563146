/**
 * Imports agent files anew after an edit. Every module that an agent file reaches by relative imports gets the generation in its
 * URL, so Node loads it again; packages, `laban` among them, stay the ones that are loaded already.
 */
import { registerHooks } from 'node:module'

const MARK = 'laban-generation'

/** Registers the hook; once per process. */
export function enableFreshImports(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const generation = generationOf(context.parentURL)
      const isRelative = specifier.startsWith('./') || specifier.startsWith('../')
      if (generation === null || !isRelative || !resolved.url.startsWith('file:')) return resolved
      return { ...resolved, url: urlOf(resolved.url, generation) }
    },
  })
}

/** The URL under which a file is loaded in a generation. */
export function urlOf(fileUrl: string, generation: string): string {
  const url = new URL(fileUrl)
  url.searchParams.set(MARK, generation)
  return url.href
}

function generationOf(url: string | undefined): string | null {
  return url !== undefined && url.startsWith('file:') ? new URL(url).searchParams.get(MARK) : null
}
