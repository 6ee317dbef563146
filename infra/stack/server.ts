/** What the launcher asks of each server. Every method may be called again at any time and then changes nothing. */
import type { Launch } from './daemon.ts'
import type { PortName, ServerName, StackSettings } from './settings.ts'

/** One server of the stack. */
export interface Server {
  readonly name: ServerName
  /** Ports it listens on. */
  readonly ports: readonly PortName[]
  /** How long its start may take once it is installed. */
  readonly startLimitMs: number
  /** Address to show to people. */
  address(settings: StackSettings): string
  /** Puts its programs in place. */
  install(settings: StackSettings): Promise<void>
  /** Makes its data folder and says how to start it. */
  prepare(settings: StackSettings): Promise<Launch>
  /** Speaks its protocol once; rejects while it is not ready. */
  probe(settings: StackSettings): Promise<void>
  /** Work to do once after it has become healthy. */
  afterStart?(settings: StackSettings): Promise<void>
  /** Removes data that it keeps outside `<stack dir>/<name>`. */
  wipe?(settings: StackSettings): Promise<void>
}
