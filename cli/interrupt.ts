/** SIGINT and SIGTERM for commands that work through something: the first asks to stop after what is under way, the second ends. */

/** A signal that aborts on the first SIGINT or SIGTERM; `dispose` gives the signals back. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const INTERRUPTED_EXIT = 130

/** Starts listening. */
export function onInterrupt(): Interrupt {
  const controller = new AbortController()
  const listener = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED_EXIT)
    controller.abort()
  }
  for (const name of SIGNALS) process.on(name, listener)
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, listener)
    },
  }
}
