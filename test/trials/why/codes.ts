/** What a diagnosis says, for judging it: all of its codes, and the agents named with them. */
import type { VerdictCode } from '../../../contracts/verdict-table.ts'
import type { Diagnosis, Verdict } from '../../../tracing/index.ts'

function allOf(verdict: Verdict): readonly Verdict[] {
  return [verdict, ...verdict.causes.flatMap(allOf)]
}

/** Codes of the verdict, its causes and what is said besides. */
export function codesIn({ verdict, also }: Diagnosis): readonly VerdictCode[] {
  return [verdict, ...also].flatMap(allOf).map(({ code }) => code)
}

/** Whether one of the codes is said, of the agent where one is given. Notices may stand beside the verdict. */
export function names(diagnosis: Diagnosis, codes: readonly VerdictCode[], agent: string | undefined): boolean {
  const said = [
    ...allOf(diagnosis.verdict),
    ...diagnosis.also.filter(({ standing }) => standing !== 'stands' && standing !== 'moving'),
  ]
  return said.some(({ code, subject }) => codes.includes(code) && (agent === undefined || subject.agent === agent))
}
