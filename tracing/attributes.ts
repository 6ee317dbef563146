/**
 * Names of span and resource attributes: OpenTelemetry's messaging conventions, still marked Development and therefore copied
 * here alone, and our own under `laban.`.
 */

/** Always `kafka`. */
export const MESSAGING_SYSTEM = 'messaging.system'
/** `process` or `send`; the first word of the span's name. */
export const MESSAGING_OPERATION_NAME = 'messaging.operation.name'
/** `process` or `send`. */
export const MESSAGING_OPERATION_TYPE = 'messaging.operation.type'
/** Topic without namespace. */
export const MESSAGING_DESTINATION_NAME = 'messaging.destination.name'
/** Partition as text, as the conventions ask. */
export const MESSAGING_DESTINATION_PARTITION_ID = 'messaging.destination.partition.id'
export const MESSAGING_CONSUMER_GROUP_NAME = 'messaging.consumer.group.name'
/** Instance of the agent. */
export const MESSAGING_CLIENT_ID = 'messaging.client.id'
/** Event id. */
export const MESSAGING_MESSAGE_ID = 'messaging.message.id'
/** Flow id. */
export const MESSAGING_MESSAGE_CONVERSATION_ID = 'messaging.message.conversation_id'
export const MESSAGING_KAFKA_MESSAGE_KEY = 'messaging.kafka.message.key'
export const MESSAGING_KAFKA_OFFSET = 'messaging.kafka.offset'
/** Error code of the error table, else the name of what was thrown. */
export const ERROR_TYPE = 'error.type'

export const LABAN_AGENT = 'laban.agent'
/** `ce_source` of a first event. */
export const LABAN_SOURCE = 'laban.source'
/** Type of the handled event; the topic may be an agent's own retry topic. */
export const LABAN_EVENT_TYPE = 'laban.event.type'
/** 1 = first try. */
export const LABAN_ATTEMPT = 'laban.attempt'
/** Outcome of the fact that the attempt ended with. */
export const LABAN_OUTCOME = 'laban.outcome'
/** Distance from the first event of the flow. */
export const LABAN_HOP = 'laban.hop'
/** On a link: why it is there (`creation`, `join-member`, `previous-attempt`, `publisher`). */
export const LABAN_LINK = 'laban.link'

/** Agent, or the publishing program. */
export const SERVICE_NAME = 'service.name'
export const SERVICE_INSTANCE_ID = 'service.instance.id'
