/** The public entry `laban/tracing`: spans for events, and flows as graphs. The OpenTelemetry SDK is loaded by `setup.ts` alone, which is not among these. */
export { createEventTracer, noTracer, type EventTracerOptions } from './create-tracer.ts'
export type { EventTracer, ProcessSpan, SendSpan, TracedInput } from './event-tracer.ts'
export { FlowTraceIds } from './flow-trace-ids.ts'
export { formatTraceparent, parseTraceparent, traceIdOfFlow, type TraceParent } from './propagation.ts'
export { isFlowSampled } from './sampling.ts'
export type { Tracing, TracingOptions } from './setup.ts'
export type { SeenEvent } from './event-drafts.ts'
export * from './flow-graph.ts'
export * from './flow-groups.ts'
export { FlowGroups } from './group-flow.ts'
export { costOf, costText } from './flow-cost.ts'
export { diagnose, type DiagnoseOptions } from './diagnose/diagnose.ts'
export * from './diagnose/observations.ts'
export {
  DIAGNOSIS_FORMAT_VERSION,
  rootOf,
  rootsOf,
  standsStill,
  type Diagnosis,
  type Evidence,
  type Verdict,
  type VerdictSubject,
} from './diagnose/verdict.ts'
export { reconstructFlow, type FlowSources } from './reconstruct.ts'
export { Subscriptions, type Subscription } from './subscriptions.ts'
export { durationText } from './duration-text.ts'
export * from './diff-graphs.ts'
export type { FieldDifference, ShownValue } from './diff-values.ts'
export { renderDiff } from './render-diff.ts'
export { renderJson } from './render-json.ts'
export { renderMermaid } from './render-mermaid.ts'
export { flowEnd, newsLines } from './flow-news.ts'
export { renderGroups, type GroupsOptions } from './render-groups.ts'
export { renderText, type TextOptions } from './render-text.ts'
export { renderTree, type TreeOptions } from './render-tree.ts'
