/**
 * What the agents of a trial share: a handler that takes 1 to 30 ms, tells a counter in the outside world that it runs, and says
 * something that no second run would say again.
 */
import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { defineAgent, type Agent, type HandlerContext, type RetryPolicy } from 'laban'

/** What every event of a trial carries. */
export interface TrialEvent {
  readonly number: number
  readonly lane?: string
}

/** An output: the same number, and a nonce. */
export interface Said extends TrialEvent {
  readonly nonce: string
}

/** What a trial's handler gets; its topics are not among those of the generated types. */
export type TrialContext = Omit<HandlerContext, 'publish'> & { publish(topic: string, value: Said): string }

/** A definition without the types of generated contracts. */
export interface TrialDefinition {
  readonly name: string
  /** @default '1.0.0' */
  readonly version?: string
  readonly retry?: RetryPolicy
  readonly consumes: string | { readonly all: readonly string[] }
  readonly produces?: readonly string[] | { readonly maybe: readonly string[] }
  handle(event: unknown, context: TrialContext): void | Promise<void>
}

const LONGEST_MS = 30
/** Set by the test that listens there. */
const counterUrl = process.env['TRIAL_COUNTER_URL']

/** `defineAgent` for a trial. */
export function trialAgent(definition: TrialDefinition): Agent {
  return defineAgent({ version: '1.0.0', ...definition } as unknown as Parameters<typeof defineAgent>[0])
}

/** An agent that turns one event into one of each of its outputs, after {@link labour}. */
export function labourer(name: string, consumes: string, produces: readonly string[] = []): Agent {
  return trialAgent({
    name,
    consumes,
    produces,
    async handle(event, context) {
      const { number, lane = '' } = event as TrialEvent
      await labour(name, context)
      for (const topic of produces) context.publish(topic, { number, lane, nonce: randomUUID() })
    },
  })
}

/** Is counted, then takes its time. */
export async function labour(agent: string, { eventId, signal }: TrialContext): Promise<void> {
  if (counterUrl !== undefined) await fetch(`${counterUrl}/${agent}/${eventId}`, { method: 'POST', signal })
  await pause(randomInt(1, LONGEST_MS + 1), undefined, { signal })
}
