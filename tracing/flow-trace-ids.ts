/**
 * Ids for spans. A trace id is announced right before the root span of a flow is started, in the same synchronous stretch, because
 * the SDK has no other way to be told the id of a new trace.
 */
import { randomBytes } from 'node:crypto'

const BLOCK_BYTES = 4096

/** An id generator in the form that the OpenTelemetry SDK asks for, plus `announce`. */
export class FlowTraceIds {
  #announced: string | undefined
  #block = randomBytes(BLOCK_BYTES)
  #used = 0

  /** The next trace gets this id; valid for one call of `generateTraceId`. */
  announce(traceId: string): void {
    this.#announced = traceId
  }

  generateTraceId(): string {
    const traceId = this.#announced ?? this.#random(16)
    this.#announced = undefined
    return traceId
  }

  generateSpanId(): string {
    return this.#random(8)
  }

  #random(bytes: number): string {
    if (this.#used + bytes > BLOCK_BYTES) {
      this.#block = randomBytes(BLOCK_BYTES)
      this.#used = 0
    }
    const text = this.#block.toString('hex', this.#used, this.#used + bytes)
    this.#used += bytes
    return /^0+$/.test(text) ? this.#random(bytes) : text
  }
}
