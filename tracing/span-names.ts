/** Names of spans: `{operation} {topic}` as the OpenTelemetry messaging conventions ask. Nowhere else are span names written. */

/** Cached because a name is needed per span and there are few topics. */
const names = { process: new Map<string, string>(), send: new Map<string, string>() }

/** Span of one attempt to handle an event of a topic. */
export function processSpanName(topic: string): string {
  return nameOf('process', topic)
}

/** Span of publishing one event to a topic. */
export function sendSpanName(topic: string): string {
  return nameOf('send', topic)
}

function nameOf(operation: 'process' | 'send', topic: string): string {
  let name = names[operation].get(topic)
  if (name === undefined) {
    name = `${operation} ${topic}`
    names[operation].set(topic, name)
  }
  return name
}
