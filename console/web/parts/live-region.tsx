/** Says aloud, to those who listen to the page, what those who look at it see change. */
import { useEffect, useState, type ReactNode } from 'react'

const SAID = 'laban:said'

/** Says one sentence. */
export function announce(text: string): void {
  window.dispatchEvent(new CustomEvent(SAID, { detail: text }))
}

/** Announces a text whenever it changes; undefined says nothing. */
export function useAnnouncement(text: string | undefined): void {
  useEffect(() => {
    if (text !== undefined) announce(text)
  }, [text])
}

/** The region itself; once per page. */
export function LiveRegion(): ReactNode {
  const [text, setText] = useState('')
  useEffect(() => {
    const listen = (event: Event): void => setText(String((event as CustomEvent<unknown>).detail))
    window.addEventListener(SAID, listen)
    return () => window.removeEventListener(SAID, listen)
  }, [])
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {text}
    </div>
  )
}
