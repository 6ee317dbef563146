/**
 * Calls to one broker whose answers are not turned into errors by kafkajs: its parsers throw the first error code of an answer
 * and drop all others, together with the topic and partition they belong to.
 */
import { apiKeys, requests, type InternalBroker, type ProtocolBuilder, type ProtocolCall } from './kafkajs-internals.ts'

/** The call of an API for this broker, for example `Produce`. */
export function buildCall(
  broker: InternalBroker,
  api: string,
  parameters: Readonly<Record<string, unknown>>,
): ProtocolCall {
  return builderOf(broker, api)(parameters)
}

/** Sends a call and resolves with the decoded answer, error codes included. */
export async function callWithoutParsing<T>(broker: InternalBroker, call: ProtocolCall): Promise<T> {
  const response = { decode: call.response.decode, parse: (data: unknown) => Promise.resolve(data) }
  return (await sendCall(broker, { ...call, response })) as T
}

/** Sends a call. */
export function sendCall(broker: InternalBroker, call: ProtocolCall): Promise<unknown> {
  return broker.connectionPool.send(call)
}

function builderOf(broker: InternalBroker, api: string): ProtocolBuilder {
  const key = apiKeys[api]
  const definition = requests[api]
  if (key === undefined || definition === undefined) throw new TypeError(`kafkajs knows no API ${api}`)
  return broker.lookupRequest(key, definition)
}
