/** Traces as Jaeger's API gives them, and what is wrong with one. */

/** A span as far as tests look at it. */
export interface JaegerSpan {
  readonly spanID: string
  readonly operationName: string
  readonly processID: string
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[]
  readonly tags: readonly { readonly key: string; readonly value: unknown }[]
  readonly warnings: readonly string[] | null
}

/** One trace. */
export interface JaegerTrace {
  readonly traceID: string
  readonly spans: readonly JaegerSpan[]
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>
}

/** Traces below `/api/traces`; none where Jaeger knows none. */
export async function tracesOf(jaegerUrl: string, path: string): Promise<readonly JaegerTrace[]> {
  const response = await fetch(`${jaegerUrl}/api/traces${path}`)
  if (response.status === 404) return []
  const { data } = (await response.json()) as { data: readonly JaegerTrace[] | null }
  return data ?? []
}

/** Names of the services that took part. */
export function servicesIn(trace: JaegerTrace): ReadonlySet<string> {
  return new Set(trace.spans.map((span) => trace.processes[span.processID]?.serviceName ?? ''))
}

/** Spans that refer to a span which is not there, and how many refer to none. */
export function orphansIn(trace: JaegerTrace): { readonly roots: number; readonly orphans: readonly string[] } {
  const known = new Set(trace.spans.map((span) => span.spanID))
  const orphans = trace.spans.filter((span) => span.references.some((reference) => !known.has(reference.spanID)))
  return {
    roots: trace.spans.filter((span) => span.references.length === 0).length,
    orphans: orphans.map((span) => span.operationName),
  }
}
