/** What the agents of the load share: how they are defined, how they call the outside world, and that they fail now and then. */
import { defineAgent, type Agent, type HandlerContext, type RetryPolicy } from 'laban'

/** A question of the load. */
export interface Asked {
  readonly number: number
  readonly lane: string
  readonly waitMs: number
}

/** What is made of it. */
export interface Answered {
  readonly number: number
  readonly lane: string
  readonly answer: string
  readonly receipt: string
  readonly nonce: string
}

/** The context with topics that the generated types do not know. */
export type ChaosContext = Omit<HandlerContext, 'publish'> & { publish(topic: string, value: Answered): string }

/** A definition without the types of generated contracts. */
export interface ChaosDefinition {
  readonly name: string
  readonly retry: RetryPolicy
  readonly consumes: string
  readonly produces: {
    readonly always?: readonly string[]
    readonly oneOf?: readonly string[]
    readonly maybe?: readonly string[]
  }
  handle(event: unknown, context: ChaosContext): Promise<void> | void
}

/** Failures are to reach the retry topics, and none of them the dead letters. */
export const CHAOS_RETRY: RetryPolicy = {
  maxAttempts: 12,
  laneAttempts: 2,
  tiersMs: [500, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000],
}
const FAILURE_SHARE = 0.08

/** `defineAgent` for the load. */
export function chaosAgent(definition: ChaosDefinition): Agent {
  return defineAgent({ version: '1.0.0', ...definition } as unknown as Parameters<typeof defineAgent>[0])
}

/** Fails one time in twelve or so. */
export function failNowAndThen(where: string): void {
  if (Math.random() < FAILURE_SHARE) throw new Error(`failed on purpose ${where}`)
}

/** Calls the outside world and gives its answer. */
export async function tellWorld(
  path: string,
  said: { readonly key?: string; readonly told?: string; readonly waitMs?: number },
  signal: AbortSignal,
): Promise<string> {
  const body = JSON.stringify({ pid: process.pid, ...said })
  const response = await fetch(`${worldUrl()}/${path}`, { method: 'POST', body, signal })
  if (!response.ok) throw new Error(`the outside world answers ${response.status}`)
  return response.text()
}

/** What the outside world knows of an idempotency key. */
export async function askWorld(key: string, signal: AbortSignal): Promise<string | undefined> {
  const response = await fetch(`${worldUrl()}/key/${key}`, { signal })
  return response.status === 404 ? undefined : response.text()
}

function worldUrl(): string {
  return process.env['CHAOS_WORLD_URL'] ?? ''
}
