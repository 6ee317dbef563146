/** The head of every page: its name, a few facts, and what can be chosen. */
import type { ReactNode } from 'react'

/** See the file's head. */
export function PageHead({
  title,
  facts = '',
  children,
}: {
  readonly title: ReactNode
  readonly facts?: ReactNode
  readonly children?: ReactNode
}): ReactNode {
  return (
    <div className="page-head">
      <div>
        <h1>{title}</h1>
        {facts !== '' && <p className="facts">{facts}</p>}
      </div>
      <div className="page-tools">{children}</div>
    </div>
  )
}

/** One of several views of the same thing. */
export function Tabs({
  label,
  options,
  value,
  onChange,
}: {
  readonly label: string
  readonly options: readonly (readonly [value: string, name: string])[]
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactNode {
  return (
    <div className="tabs" role="group" aria-label={label}>
      {options.map(([option, name]) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => onChange(option)}>
          {name}
        </button>
      ))}
    </div>
  )
}

/** A time that says more when it is pointed at. */
export function Moment({ atMs, text }: { readonly atMs: number | null; readonly text: string }): ReactNode {
  if (atMs === null) return <>{text}</>
  const exact = new Date(atMs).toISOString()
  return (
    <time dateTime={exact} title={exact}>
      {text}
    </time>
  )
}
