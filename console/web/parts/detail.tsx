/** The panel beside a drawing or a table: everything about the one thing that is chosen. */
import { useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react'

/** A panel with a name; Escape closes it and gives the focus back. */
export function DetailPanel({
  title,
  onClose,
  children,
}: {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
}): ReactNode {
  const head = useRef<HTMLHeadingElement>(null)
  const before = useRef<Element | null>(null)
  useEffect(() => {
    before.current ??= document.activeElement
    head.current?.focus({ preventScroll: true })
  }, [title])
  useEffect(() => () => (before.current as HTMLElement | null)?.focus({ preventScroll: true }), [])
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onClose()
  }
  return (
    <aside className="detail-panel" aria-label={title} onKeyDown={onKeyDown}>
      <div className="detail-head">
        <h2 ref={head} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" className="quiet-button" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </div>
      {children}
    </aside>
  )
}

/** Names and values, one per line. */
export function Rows({ rows }: { readonly rows: readonly (readonly [name: string, value: ReactNode])[] }): ReactNode {
  return (
    <dl className="rows">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
