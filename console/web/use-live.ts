/**
 * Keeps an answer of the server fresh by asking again. Polling, not a stream: an answer that has not changed costs one 304 without a
 * body, nothing is held open on either side, a proxy or a laptop's sleep breaks nothing, and a page that nobody looks at asks nothing.
 */
import { useEffect, useRef, useState } from 'react'
import type { Problem } from '../api.ts'
import { getText, problemOf } from './api-client.ts'

/** An answer as it is known now. */
export interface Live<T> {
  /** Undefined until the first answer. */
  readonly data: T | undefined
  /** Why the last request failed; older data stay. */
  readonly problem: Problem | undefined
  /** When the last answer came, by this browser's clock. */
  readonly answeredAtMs: number | undefined
  /** Asks now. */
  readonly refresh: () => void
}

const SLOWEST_MS = 15_000

/** The answer at a path, asked for again every `everyMs`; null asks nothing. */
export function useLive<T>(path: string | null, everyMs = 3_000): Live<T> {
  const [state, setState] = useState<Omit<Live<T>, 'refresh'> & { readonly path: string | null }>(nothing(path))
  const refresh = useRef<() => void>(() => undefined)
  useEffect(() => {
    if (path === null) return undefined
    const poll = new Poll(path, everyMs, (text) => {
      setState((old) => {
        const answeredAtMs = Date.now()
        if ('problem' in text) return { ...(old.path === path ? old : nothing(path)), path, problem: text.problem }
        return {
          path,
          data: text.isNew || old.path !== path ? (JSON.parse(text.text) as T) : old.data,
          problem: undefined,
          answeredAtMs,
        }
      })
    })
    refresh.current = () => poll.now()
    return () => poll.stop()
  }, [path, everyMs])
  const { data, problem, answeredAtMs } = state.path === path ? state : nothing<T>(path)
  return { data, problem, answeredAtMs, refresh: () => refresh.current() }
}

function nothing<T>(path: string | null): Omit<Live<T>, 'refresh'> & { readonly path: string | null } {
  return { path, data: undefined, problem: undefined, answeredAtMs: undefined }
}

type Heard = { readonly text: string; readonly isNew: boolean } | { readonly problem: Problem }

/** One path, asked again and again; ever more slowly while it fails, and not at all while nobody looks. */
class Poll {
  readonly #path: string
  readonly #everyMs: number
  readonly #onHeard: (heard: Heard) => void
  readonly #abort = new AbortController()
  #timer = 0
  #text = ''
  #failures = 0

  constructor(path: string, everyMs: number, onHeard: (heard: Heard) => void) {
    this.#path = path
    this.#everyMs = everyMs
    this.#onHeard = onHeard
    document.addEventListener('visibilitychange', this.#onVisible)
    void this.#ask()
  }

  now(): void {
    window.clearTimeout(this.#timer)
    void this.#ask()
  }

  stop(): void {
    this.#abort.abort()
    window.clearTimeout(this.#timer)
    document.removeEventListener('visibilitychange', this.#onVisible)
  }

  readonly #onVisible = (): void => {
    if (!document.hidden) this.now()
  }

  async #ask(): Promise<void> {
    const { signal } = this.#abort
    try {
      const text = await getText(this.#path, signal)
      if (signal.aborted) return
      this.#onHeard({ text, isNew: text !== this.#text })
      this.#text = text
      this.#failures = 0
    } catch (error) {
      if (signal.aborted) return
      this.#failures++
      this.#onHeard({ problem: problemOf(error) })
    }
    window.clearTimeout(this.#timer)
    if (document.hidden) return
    const pauseMs = Math.min(this.#everyMs * 2 ** Math.min(this.#failures, 4), Math.max(SLOWEST_MS, this.#everyMs))
    this.#timer = window.setTimeout(() => void this.#ask(), pauseMs)
  }
}
