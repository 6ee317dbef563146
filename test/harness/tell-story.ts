/** Puts a told flow on the log of a stack as the runtime would have: its facts, and the manifests of its agents. */
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/contract.ts'
import { openCodec, type Stack } from '../../runtime/internal.ts'
import type { OutgoingRecord } from '../../runtime/ports/broker.ts'
import type { Story } from '../unit/tracing/story.ts'

const BATCH = 500

/** Resolves when all of it is acknowledged. The topics must exist and their schemas be registered. */
export async function tellStory(stack: Stack, { facts, manifests }: Story): Promise<void> {
  const { codec } = await openCodec(stack, [AGENTS_TOPIC])
  const record = (topic: string, key: string, value: unknown): OutgoingRecord => {
    return { topic, key, value: codec.encode(topic, value), headers: {} }
  }
  const nowMs = stack.clock.nowMs()
  const records = [
    ...manifests.map((manifest) =>
      record(AGENTS_TOPIC, `${manifest.agent}/${manifest.instance}`, { ...manifest, seenAtMs: nowMs }),
    ),
    ...facts.map((fact) => record(FACTS_TOPIC, fact.flowId, fact)),
  ]
  const producer = await stack.broker.producer()
  try {
    // Alone: one fact that names thousands of outputs fills a request by itself.
    const [large, small] = [records.filter(isLarge), records.filter((each) => !isLarge(each))]
    for (const each of large) await producer.send([each])
    for (let at = 0; at < small.length; at += BATCH) await producer.send(small.slice(at, at + BATCH))
  } finally {
    await producer.close()
  }
}

function isLarge({ value }: OutgoingRecord): boolean {
  return (value?.length ?? 0) > 100_000
}
