/** `createPublisher`: how a program of its own - a web server, a script, a job - begins flows on whatever is configured. */
import { createLogger, openTracing } from './compose.ts'
import { findTargets, noTarget } from './compose/targets.ts'
import type { KafkaLogin } from './compose/kafka-access.ts'
import { localStackValues } from './config/local-stack.ts'
import { loadConfig } from './config/load.ts'
import type { ConfigInput } from './config/schema.ts'
import type { Logger } from './ports/logger.ts'
import { publisherOn, type Publisher } from './publisher.ts'

/** What programs may say; all of it has a default. */
export interface CreatePublisherOptions {
  /** Configuration in code, shaped like `laban.config.json`; counts more than file and environment. @default none */
  readonly config?: ConfigInput
  /** `ce_source` of the events: who says them. @default 'laban.publish' */
  readonly source?: string
  /** What a file cannot hold: a function that gives tokens for OAUTHBEARER. @default what the configuration says */
  readonly kafka?: KafkaLogin
  /** What to publish to. @default a live `laban dev` of this folder, else Kafka */
  readonly on?: 'dev' | 'kafka'
  /** @default a log as configured */
  readonly log?: Logger
}

/**
 * Opens what the configuration of this folder says - a running `laban dev`, else Kafka - and gives a publisher on it. One per
 * process is enough; closing it closes its connections.
 * @throws LABAN_CONFIG_INVALID, LABAN_CONTRACT_INVALID, LABAN_TARGET_MISSING when neither is there, LABAN_BROKER_UNAVAILABLE,
 * LABAN_SCHEMA_MISSING when a contract was not pushed
 * @example
 * const publisher = await createPublisher({ source: 'shop.web' })
 * const { flowId } = await publisher.publish('orders.order-placed', { orderId: 'A-1', total: 12 }, { id: 'A-1' })
 * const answer = await publisher.waitFor(flowId, 'orders.order-confirmed', 5_000)
 * await publisher.close()
 */
export async function createPublisher(options: CreatePublisherOptions = {}): Promise<Publisher> {
  const { source = 'laban.publish', on } = options
  const { config } = loadConfig({ overrides: options.config, fallback: localStackValues() })
  const log = options.log ?? createLogger(config.log)
  const [target] = await findTargets({ config, log, kafka: options.kafka }, { on, purpose: 'publish' })
  if (target === undefined) throw noTarget(on)
  const stack = await target.open()
  try {
    const tracing = await openTracing(config, { serviceName: source, log })
    const publisher = await publisherOn(stack, { source, tracer: tracing.tracer })
    const close = async (): Promise<void> => {
      await publisher.close()
      await stack.close()
      await tracing.shutdown()
    }
    return { ...publisher, close }
  } catch (error) {
    await stack.close()
    throw error
  }
}
