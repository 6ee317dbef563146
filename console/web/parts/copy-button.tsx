/** Copies a text, and says that it did. */
import { useState, type ReactNode } from 'react'
import { announce } from './live-region.tsx'

const SHOWN_MS = 1_500

/** See the file's head. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): ReactNode {
  const [isDone, setDone] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    setDone(true)
    announce(`${what} copied`)
    window.setTimeout(() => setDone(false), SHOWN_MS)
  }
  return (
    <button type="button" className="quiet-button" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      {isDone ? 'copied' : 'copy'}
    </button>
  )
}
