/**
 * Preloaded into a process of a test (`--import`): its connections to one port go to another one, as by a rule of a network that only
 * this machine is in. `LED_PORT=from:to` says which. The process knows nothing of it.
 */
import { Socket } from 'node:net'

const [from = 0, to = 0] = (process.env['LED_PORT'] ?? '').split(':').map(Number)
const connect = Socket.prototype.connect
type Target = { port?: number | string }

/** Every way of connecting ends here, with its arguments as a list in a list. */
Socket.prototype.connect = function led(this: Socket, ...given: unknown[]): Socket {
  const [first] = given
  const target: unknown = Array.isArray(first) ? first[0] : first
  if (isTarget(target) && Number(target.port) === from) target.port = to
  return Reflect.apply(connect, this, given) as Socket
}

function isTarget(value: unknown): value is Target {
  return typeof value === 'object' && value !== null && 'port' in value
}
