/** A diagnosis on one screen: the verdict first, then what it rests on, then the command to run. */
import { durationText, rootsOf, type Diagnosis, type Verdict } from '../../tracing/index.ts'
import type { StuckGroup, StuckReport } from '../../runtime/internal.ts'
import type { Output } from '../output.ts'

type Style = Parameters<Output['style']>[0]

const STYLES: Readonly<Record<Verdict['standing'], Style>> = {
  ended: 'green',
  moving: 'cyan',
  stands: 'red',
  notice: 'yellow',
}
const MOST_EVIDENCE = 8
const MOST_OTHERS = 4

/** Lines of one diagnosis. */
export function diagnosisLines(diagnosis: Diagnosis, output: Output): string[] {
  const { verdict, also, unseen, flowId } = diagnosis
  const [root = verdict, ...otherRoots] = rootsOf(verdict)
  const chain = root === verdict ? [] : chainTo(verdict, root)
  const rest = also.filter((each) => each !== verdict)
  return [
    headline(root, output),
    ...chain.map((each) => `  so      ${output.style('bold', each.code)}  ${each.sentence}`),
    ...otherRoots.map((each) => `  and     ${headline(each, output)}`),
    ...evidenceLines(root, output),
    ...(flowId === null ? [] : [line('flow', flowId, output)]),
    ...(root.next === null ? [] : [line('next', output.style('bold', root.next), output)]),
    ...rest.slice(0, MOST_OTHERS).map((each) => `${output.style('dim', 'also    ')}${headline(each, output)}`),
    ...(rest.length > MOST_OTHERS ? [line('also', `${rest.length - MOST_OTHERS} more: --json`, output)] : []),
    ...unseen.map((text) => line('unseen', text, output)),
  ]
}

/** Lines of everything that stands still. */
export function stuckLines(report: StuckReport, output: Output): string[] {
  const { groups, unfinished, looked, moving, unseen, asOfMs } = report
  const standing = groups.reduce((sum, { flows }) => sum + flows, 0)
  const summary =
    standing === 0
      ? output.style('green', 'nothing stands still')
      : `${output.style('red', `${standing} ${standing === 1 ? 'flow stands' : 'flows stand'} still`)}, ${groups.length} ${groups.length === 1 ? 'cause' : 'causes'}`
  return [
    `${summary} (${unfinished} unfinished, ${looked} looked at, ${moving} moving)`,
    ...groups.flatMap((group) => groupLines(group, asOfMs, output)),
    ...unseen.map((text) => line('unseen', text, output)),
  ]
}

function groupLines({ cause, flows, sinceMs, examples }: StuckGroup, asOfMs: number, output: Output): string[] {
  const age = sinceMs === null ? '' : `for ${durationText(Math.max(0, asOfMs - sinceMs))}`
  return [
    '',
    `${output.style('bold', `${flows} ×`)} ${headline(cause, output)}`,
    ...(age === '' ? [] : [line('stands', age, output)]),
    ...examples.map((flowId) => line('flow', flowId, output)),
    ...(cause.next === null ? [] : [line('next', output.style('bold', cause.next), output)]),
  ]
}

function headline({ code, standing, sentence }: Verdict, output: Output): string {
  return `${output.style(STYLES[standing], code)}  ${sentence}`
}

function evidenceLines({ evidence }: Verdict, output: Output): string[] {
  const shown = evidence.slice(0, MOST_EVIDENCE)
  return shown.map(({ name, value, seenIn }) => line(name, `${value} ${output.style('dim', `[${seenIn}]`)}`, output))
}

function line(name: string, value: string, output: Output): string {
  return `  ${output.style('dim', name.padEnd(7))} ${value}`
}

/** The verdicts between a head and one of its roots, the head last. */
function chainTo(head: Verdict, root: Verdict): readonly Verdict[] {
  for (const cause of head.causes) {
    if (cause === root || rootsOf(cause).includes(root))
      return [...chainTo(cause, root), head].filter((each) => each !== root)
  }
  return head === root ? [] : [head]
}
