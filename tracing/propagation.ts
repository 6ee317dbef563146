/**
 * Reads and writes W3C `traceparent` headers. Reading never throws: what is not a valid header is no header. A flow's own trace
 * id is its flow id without dashes, so a flow is found in a trace store by the id that everything else uses.
 */
import type { Uuid } from '../contracts/ids.ts'

/** A parsed `traceparent`. */
export interface TraceParent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string
  readonly sampled: boolean
}

const HEADER_LENGTH = 55
const DASH = 45
const TRACE_ID_AT = 3
const SPAN_ID_AT = 36
const FLAGS_AT = 53

/**
 * Parses a header of version 00, or of a later version as far as version 00 describes it.
 * @returns undefined for anything else, garbage included
 */
export function parseTraceparent(header: string | undefined): TraceParent | undefined {
  return header !== undefined && isTraceparent(header) ? partsOfHeader(header) : undefined
}

/** The parts of a header that {@link isTraceparent} accepts. */
export function partsOfHeader(header: string): TraceParent {
  return {
    traceId: header.slice(TRACE_ID_AT, SPAN_ID_AT - 1),
    spanId: header.slice(SPAN_ID_AT, FLAGS_AT - 1),
    sampled: hasSampledFlag(header),
  }
}

/** A header of version 00 whose ids begin with something other than a zero. */
const USUAL = /^00-[1-9a-f][0-9a-f]{31}-[1-9a-f][0-9a-f]{15}-[0-9a-f]{2}$/

/** True when {@link parseTraceparent} would parse the header; allocates nothing. */
export function isTraceparent(header: string): boolean {
  if (header.length < HEADER_LENGTH) return false
  if (USUAL.test(header)) return true
  if (header.length > HEADER_LENGTH && !isLaterVersion(header)) return false
  if (header.charCodeAt(2) !== DASH || header.charCodeAt(35) !== DASH || header.charCodeAt(52) !== DASH) return false
  if (hexBits(header, 0, 2) < 0 || hexBits(header, FLAGS_AT, HEADER_LENGTH) < 0) return false
  if (header.startsWith('ff')) return false
  return hexBits(header, TRACE_ID_AT, SPAN_ID_AT - 1) > 0 && hexBits(header, SPAN_ID_AT, FLAGS_AT - 1) > 0
}

/** The sampled flag of a header that {@link isTraceparent} accepts. */
export function hasSampledFlag(header: string): boolean {
  return (hexValue(header.charCodeAt(FLAGS_AT + 1)) & 1) === 1
}

/** The trace id of a header that {@link isTraceparent} accepts. */
export function traceIdOfHeader(header: string): string {
  return header.slice(TRACE_ID_AT, SPAN_ID_AT - 1)
}

/** Forms a header of version 00. */
export function formatTraceparent(traceId: string, spanId: string, sampled: boolean): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/** The trace id of a flow: its 16 bytes. The nil id, which no trace may have, becomes 1. */
export function traceIdOfFlow(flowId: Uuid): string {
  const traceId = flowId.replaceAll('-', '')
  return hexBits(traceId, 0, traceId.length) > 0 ? traceId : '1'.padStart(32, '0')
}

/** The header of a flow that is not sampled: its trace id, and half of it for the span that nobody recorded. */
export function unsampledTraceparent(flowId: Uuid): string {
  const traceId = traceIdOfFlow(flowId)
  const half = traceId.slice(16)
  return formatTraceparent(traceId, hexBits(half, 0, 16) > 0 ? half : '1'.padStart(16, '0'), false)
}

function isLaterVersion(header: string): boolean {
  return !header.startsWith('00') && header.charCodeAt(HEADER_LENGTH) === DASH
}

/** All digits or-ed together: -1 when one is not lower-case hex, 0 when all are zero. */
function hexBits(text: string, from: number, to: number): number {
  let bits = 0
  for (let index = from; index < to; index++) {
    const value = hexValue(text.charCodeAt(index))
    if (value < 0) return -1
    bits |= value
  }
  return bits
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  return code >= 97 && code <= 102 ? code - 87 : -1
}
