/** What the command line and the console need beyond the public entry point. Not exported from the package; no logic. */
export { ERROR_TABLE } from '../contracts/error-table.ts'
export { describeUnknown, isLabanError, LabanError } from '../contracts/errors.ts'
export type { ErrorCode, ErrorDetails } from '../contracts/errors.ts'
export { describeConfig, type DescribedValue } from './config/describe.ts'
export { CONFIG_KEYS, type ConfigKey } from './config/keys.ts'
export { loadConfig, type LoadedConfig, type LoadOptions } from './config/load.ts'
export { localStackValues } from './config/local-stack.ts'
export type { Config, ConfigInput } from './config/schema.ts'
export { isAgent, type Agent } from './agent.ts'
export {
  contractsOf,
  createLogger,
  createService,
  openCodec,
  openEmbedded,
  openKafka,
  openLedgerDatabase,
  openMemoryDatabase,
  openRegistry,
  openTracing,
  ownTopics,
  type Stack,
} from './compose.ts'
export { delay, systemClock, type Clock } from './ports/clock.ts'
export { removeDevFile, writeDevFile } from './compose/dev-file.ts'
export { openDevPort, type DevAddress, type DevPort } from './compose/dev-port.ts'
export { openMetrics, type OpenMetricsOptions } from './compose/metrics.ts'
export { openRecordedRun, type RecordedRun } from './compose/recorded-runs.ts'
export { findTargets, noTarget, type Target, type TargetKind, type TargetSearch } from './compose/targets.ts'
export { errorFields, type Logger } from './ports/logger.ts'
export type { Assignment, Broker, BrokerConsumer, BrokerProducer, BrokerRecord, RecordBatch } from './ports/broker.ts'
export type { ArchivedRecord, RecordArchive, RecordPlace } from './ports/record-archive.ts'
export type { SqlDatabase, SqlRow, SqlSession, SqlValue } from './ports/sql.ts'
export { deadLetterDeskOn, type DeadLetterDesk } from './dead-letter-desk.ts'
export { publisherOn, type Published, type Publisher } from './publisher.ts'
export { serveHealth, startingHealth, type Health } from './service/health-server.ts'
export type { Service } from './service/service.ts'
export { AgentWatch, type AgentFigures } from './readback/agent-watch.ts'
export { logFlowSource, type FlowPage, type FlowSource } from './readback/flow-source.ts'
export { listFlows, readAllFlows, summarize, type FlowFilter, type FlowSummary } from './readback/list-flows.ts'
export { createDiagnostician, type Diagnostician, type DiagnosticianOptions } from './diagnose/diagnostician.ts'
export { patientCodec, type PatientCodec } from './diagnose/patient-codec.ts'
export type { StuckReport } from './diagnose/stuck.ts'
export type { StuckGroup } from './diagnose/stuck-groups.ts'
export { agentsWithDeadLetters, readDeadLetters, type DeadLetter } from './readback/dead-letters.ts'
export {
  decodeRecord,
  factsIn,
  readFacts,
  readFactsOf,
  readManifests,
  type LogSource,
  type NewerRecord,
} from './readback/platform-records.ts'
export {
  isUnfinished,
  shareOut,
  UnfinishedKinds,
  type UnfinishedFlows,
  type UnfinishedOptions,
} from './readback/unfinished.ts'
export { Announcer } from './service/announcer.ts'
export { Histogram, MetricSnapshot } from '../tracing/metric-snapshot.ts'
export { HeaderBlock } from '../contracts/header-block.ts'
export { partitionOfKey as partitionOfFlow } from '../contracts/murmur2.ts'
export { checkChoreography } from './check/check-choreography.ts'
export { findingOf, type CheckedAgent, type Finding } from './check/finding.ts'
export { drawTopology } from './topology/draw-topology.ts'
export { topologyAsyncApi } from './topology/topology-asyncapi.ts'
export { topologyMermaid } from './topology/topology-mermaid.ts'
export type { Topology } from './topology/topology.ts'
export { readBodies, type EventBody } from './readback/read-bodies.ts'
export { expiryOf, isGoingSoon, readRetentions, type Retentions } from './readback/dead-letter-expiry.ts'
export { groupIdOf, groupLetters, inOrder, isWaiting, type DeadLetterGroup } from './readback/dead-letter-groups.ts'
export { readEvent, type EventRecord } from './readback/read-event.ts'
export { readFlow } from './readback/read-flow.ts'
export { readValues } from './readback/read-values.ts'
export { renderTree } from '../tracing/render-tree.ts'
export { describeViolation, type SimulationReport } from './testing/simulation/report.ts'
export { simulateAll } from './testing/simulation/simulate.ts'
