/** What the agents of the trial of diagnoses share: an order, and a service in the outside world that each handler asks. */
import { defineAgent, type Agent, type HandlerContext } from 'laban'

/** An order, at whatever stage it is. */
export interface Order {
  readonly number: number
  readonly customer: string
  /** What the agents are to meet in it: the data of a bad day, not a hook. */
  readonly wish: string
}

/** A handler's context; the topics of a trial are not among those of the generated types. */
export type ShopContext = Omit<HandlerContext, 'publish'> & { publish(topic: string, value: Order): string }

/** Set by the trial: where the service listens. */
const serviceUrl = process.env['SHOP_SERVICE_URL'] ?? ''

/** `defineAgent` without the types of generated contracts. */
export function shopAgent(
  definition: Omit<Parameters<typeof defineAgent>[0], 'consumes' | 'produces' | 'handle' | 'version'> & {
    readonly consumes: string | { readonly all: readonly string[] }
    readonly produces?: readonly string[] | { readonly maybe: readonly string[] }
    handle(event: unknown, context: ShopContext): void | Promise<void>
  },
): Agent {
  const version = process.env['SHOP_VERSION'] ?? '1.0.0'
  return defineAgent({ version, ...definition } as unknown as Parameters<typeof defineAgent>[0])
}

/** Asks the service. @throws Error when it does not answer with 200 */
export async function ask(path: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${serviceUrl}/${path}`, { signal })
  await response.arrayBuffer()
  if (!response.ok) throw new RangeError(`the service answers ${response.status}`)
}
