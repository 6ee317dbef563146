/** The end of the demonstration: totals, one flow drawn, and the command that draws it again. */
import { listFlows, openCodec, readFlow, readValues, renderTree, type Stack } from '../../runtime/internal.ts'
import type { Output } from '../output.ts'

interface Run {
  readonly startedAtMs: number
  readonly expected: number
  readonly ended: number
}

/** Prints how the applications ended; returns a flow worth drawing. */
export async function printTotals(stack: Stack, output: Output, run: Run): Promise<string | undefined> {
  const { broker, contracts, clock } = stack
  const { codec } = await openCodec(stack)
  const outcomes = new Map<string, number>()
  let chosen: string | undefined
  for (const topic of ['credit.decision-made', 'credit.review-requested']) {
    for await (const { envelope, value } of readValues({ broker, codec }, topic)) {
      const outcome =
        topic === 'credit.review-requested' ? 'sent to a person' : String((value as { outcome?: unknown }).outcome)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      chosen ??= envelope.flowId
    }
  }
  const seconds = ((clock.nowMs() - run.startedAtMs) / 1_000).toFixed(1)
  const totals = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ')
  output.line()
  output.line(`${run.ended} of ${run.expected} applications ended in ${seconds} s: ${totals}.`)
  const { flows } = await listFlows({ broker, codec, contracts, limit: run.expected })
  output.line(
    `${flows.filter((flow) => flow.complete).length} of ${run.expected} flows are complete: every event was handled by every agent that subscribes to it.`,
  )
  return chosen
}

/** Draws a flow from the log alone. */
export async function printFlow(
  stack: Stack,
  output: Output,
  { flowId, flags }: { readonly flowId: string; readonly flags: string },
): Promise<void> {
  const { broker, contracts } = stack
  const { codec } = await openCodec(stack)
  const graph = await readFlow({ broker, codec, contracts, flowId, fromLog: true })
  output.line()
  output.line('One of them, read back:')
  output.line()
  output.line(renderTree(graph, { colors: output.isTerminal }))
  output.line()
  output.line(`Draw it again:  npx laban flow ${flowId}${flags}`)
}
