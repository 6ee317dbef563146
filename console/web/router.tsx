/** Addresses of the page: one path per thing that can be looked at, so that it can be sent to somebody. No library: a path, a query, links. */
import { useCallback, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent, type ReactNode } from 'react'

const CHANGED = 'laban:address'

/** Where the page is. */
export interface Address {
  readonly path: string
  readonly query: URLSearchParams
}

/** Goes somewhere; `replace` leaves no step in the history. */
export function navigate(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  window.dispatchEvent(new Event(CHANGED))
}

/** The address, kept up to date. */
export function useAddress(): Address {
  const href = useSyncExternalStore(subscribe, () => location.pathname + location.search)
  const [path = '/', search = ''] = href.split('?')
  return { path, query: new URLSearchParams(search) }
}

/** One parameter of the address, and how to change it; an empty text removes it. */
export function useParameter(name: string, otherwise = ''): readonly [string, (value: string) => void] {
  const { path, query } = useAddress()
  const set = useCallback(
    (value: string) => {
      const next = new URLSearchParams(location.search)
      if (value === '' || value === otherwise) next.delete(name)
      else next.set(name, value)
      const text = next.toString()
      navigate(text === '' ? path : `${path}?${text}`, { replace: true })
    },
    [name, otherwise, path],
  )
  return [query.get(name) ?? otherwise, set]
}

/** A link within the page. */
export function Link({
  to,
  children,
  ...rest
}: { readonly to: string; readonly children: ReactNode } & AnchorHTMLAttributes<HTMLAnchorElement>): ReactNode {
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    navigate(to)
  }
  return (
    <a href={to} onClick={follow} {...rest}>
      {children}
    </a>
  )
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener(CHANGED, onChange)
  window.addEventListener('popstate', onChange)
  return () => {
    window.removeEventListener(CHANGED, onChange)
    window.removeEventListener('popstate', onChange)
  }
}
