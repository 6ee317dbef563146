/** The states that every page has besides its content: loading, nothing there, failed, out of date. */
import type { ReactNode } from 'react'
import type { Problem } from '../../api.ts'
import type { Live } from '../use-live.ts'

/** Content of an answer, or why it is not there; what was known before stays while the server is silent. */
export function Answer<T>({
  live,
  what,
  children,
}: {
  readonly live: Live<T>
  /** For `Loading …`. */
  readonly what: string
  readonly children: (data: T) => ReactNode
}): ReactNode {
  const { data, problem, refresh } = live
  if (data === undefined) {
    return problem === undefined ? <Loading what={what} /> : <ProblemPanel problem={problem} onRetry={refresh} />
  }
  return (
    <>
      {problem !== undefined && <StaleBanner live={live} />}
      {children(data)}
    </>
  )
}

/** Shown until the first answer. */
export function Loading({ what }: { readonly what: string }): ReactNode {
  return (
    <p className="loading" role="status">
      Loading {what} …
    </p>
  )
}

/** Nothing is there, and what to do so that something is. */
export function EmptyState({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <h2>{title}</h2>
      <p>{children}</p>
    </div>
  )
}

/** A failure with code, cause and remedy. */
export function ProblemPanel({
  problem,
  onRetry,
}: {
  readonly problem: Problem
  readonly onRetry?: (() => void) | undefined
}): ReactNode {
  const { code, message, cause, remedy } = problem
  return (
    <div className="problem" role="alert">
      <p>
        <code>{code}</code> {message}
      </p>
      <dl>
        <dt>Why</dt>
        <dd>{cause}</dd>
        <dt>What helps</dt>
        <dd>
          <Commands text={remedy} />
        </dd>
      </dl>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

function StaleBanner<T>({ live }: { readonly live: Live<T> }): ReactNode {
  const { problem, answeredAtMs, refresh } = live
  const since =
    answeredAtMs === undefined ? '' : ` What you see is from ${new Date(answeredAtMs).toLocaleTimeString('en-GB')}.`
  return (
    <div className="stale" role="alert">
      <span>
        {problem?.message}.{since}
      </span>
      <button type="button" onClick={refresh}>
        Try again
      </button>
    </div>
  )
}

/** A text in which what stands between backticks is code. */
export function Commands({ text }: { readonly text: string }): ReactNode {
  return text.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))
}
