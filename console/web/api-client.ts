/** Asks the server. Every failure is a problem that can be shown: code, message, cause, remedy. */
import type { Problem } from '../api.ts'

/** A failed request. */
export class RequestFailed extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

const UNREACHABLE: Problem = {
  code: 'CONSOLE_UNREACHABLE',
  message: 'The console does not answer',
  cause: 'Its process has ended, or the connection to it is gone.',
  remedy: 'Start it again with `laban console`; this page goes on by itself.',
}

/** The text of an answer. @throws RequestFailed */
export async function getText(path: string, signal?: AbortSignal): Promise<string> {
  return request(path, signal === undefined ? {} : { signal })
}

/** An answer. @throws RequestFailed */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return JSON.parse(await getText(path, signal)) as T
}

/** Sends an action with the operator's token. @throws RequestFailed */
export async function post<T>(path: string, token: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  return JSON.parse(await request(path, { method: 'POST', headers, body: JSON.stringify(body) })) as T
}

async function request(path: string, init: RequestInit): Promise<string> {
  let response: Response
  let text: string
  try {
    response = await fetch(path, { credentials: 'omit', ...init })
    text = await response.text()
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new RequestFailed(UNREACHABLE)
  }
  if (response.ok) return text
  throw new RequestFailed(problemIn(text, response.status))
}

function problemIn(text: string, status: number): Problem {
  try {
    const { error } = JSON.parse(text) as { error?: Problem }
    if (error !== undefined) return error
  } catch {
    // Not ours: something between here and the console answered.
  }
  return { ...UNREACHABLE, message: `Something in between answered with status ${status}` }
}

/** What is shown of anything that was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RequestFailed) return error.problem
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'PAGE_FAILED', message, cause: 'The page met something unexpected.', remedy: 'Reload it.' }
}
