/** What the whole page knows: what it looks at, and the operator's token and name, which live as long as the tab and nowhere else. */
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from 'react'
import type { About } from '../api.ts'

/** The operator of this tab. */
export interface OperatorSession {
  readonly token: string
  readonly name: string
}

interface Session {
  readonly about: About | undefined
  readonly operator: OperatorSession | undefined
  readonly setOperator: (operator: OperatorSession | undefined) => void
}

const KEY = 'laban.operator'
const SessionContext = createContext<Session>({ about: undefined, operator: undefined, setOperator: () => undefined })

/** See the file's head. */
export function useSession(): Session {
  return useContext(SessionContext)
}

/** Gives the session to everything below. */
export function SessionProvider({
  about,
  children,
}: {
  readonly about: About | undefined
  readonly children: ReactNode
}): ReactNode {
  const [operator, remember] = useState<OperatorSession | undefined>(stored)
  const setOperator = useCallback((next: OperatorSession | undefined) => {
    if (next === undefined) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, JSON.stringify(next))
    remember(next)
  }, [])
  const session = useMemo(() => ({ about, operator, setOperator }), [about, operator, setOperator])
  return <SessionContext value={session}>{children}</SessionContext>
}

function stored(): OperatorSession | undefined {
  try {
    const { token, name } = JSON.parse(sessionStorage.getItem(KEY) ?? '') as Partial<OperatorSession>
    return token === undefined || name === undefined ? undefined : { token, name }
  } catch {
    return undefined
  }
}
