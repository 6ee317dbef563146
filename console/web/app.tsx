/** The frame of the page: what is looked at, where one can go, and the page of the address. */
import { useEffect, useRef, type ReactNode } from 'react'
import type { About } from '../api.ts'
import { AgentsPage } from './pages/agents-page.tsx'
import { ContractPage } from './pages/contract-page.tsx'
import { ContractsPage } from './pages/contracts-page.tsx'
import { DeadLetterPage } from './pages/dead-letter-page.tsx'
import { DeadLettersPage } from './pages/dead-letters-page.tsx'
import { FlowPage } from './pages/flow-page.tsx'
import { FlowsPage } from './pages/flows-page.tsx'
import { StuckPage } from './pages/stuck-page.tsx'
import { TopologyPage } from './pages/topology-page.tsx'
import { LiveRegion } from './parts/live-region.tsx'
import { EmptyState } from './parts/states.tsx'
import { Link, useAddress } from './router.tsx'
import { SessionProvider } from './session.tsx'
import { useLive } from './use-live.ts'

const ABOUT_EVERY_MS = 10_000

interface Section {
  readonly path: string
  readonly name: string
  readonly page: (rest: string) => ReactNode
}

const SECTIONS: readonly Section[] = [
  { path: '/', name: 'Topology', page: () => <TopologyPage /> },
  { path: '/flows', name: 'Flows', page: (id) => (id === '' ? <FlowsPage /> : <FlowPage key={id} flowId={id} />) },
  { path: '/stuck', name: 'Stuck work', page: () => <StuckPage /> },
  {
    path: '/dead-letters',
    name: 'Dead letters',
    page: (agent) => (agent === '' ? <DeadLettersPage /> : <DeadLetterPage key={agent} agent={agent} />),
  },
  { path: '/agents', name: 'Agents', page: () => <AgentsPage /> },
  {
    path: '/contracts',
    name: 'Contracts',
    page: (topic) => (topic === '' ? <ContractsPage /> : <ContractPage key={topic} topic={topic} />),
  },
]

/** The whole page. */
export function App(): ReactNode {
  const { path } = useAddress()
  const about = useLive<About>('/api/about', ABOUT_EVERY_MS)
  const section = sectionOf(path)
  const rest = decodeURIComponent(path.slice((section?.path.length ?? 0) + 1))
  const main = useFocusOnChange(path)
  useEffect(() => {
    document.title =
      section === undefined ? 'laban console' : `${rest === '' ? '' : `${rest.slice(0, 8)} · `}${section.name} · laban`
  }, [section, rest])
  return (
    <SessionProvider about={about.data}>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <div className="frame">
        <Sidebar current={section} about={about.data} isAnswering={about.problem === undefined} />
        <main id="main" ref={main} tabIndex={-1}>
          {section === undefined ? (
            <EmptyState title="Nothing is at this address">
              Begin at the <Link to="/">topology</Link>.
            </EmptyState>
          ) : (
            section.page(rest)
          )}
        </main>
      </div>
      <LiveRegion />
    </SessionProvider>
  )
}

function sectionOf(path: string): Section | undefined {
  return SECTIONS.find((section) =>
    section.path === '/' ? path === '/' : path === section.path || path.startsWith(`${section.path}/`),
  )
}

/** A screen reader hears the new page, and Tab goes on from its beginning. */
function useFocusOnChange(path: string): React.RefObject<HTMLElement | null> {
  const main = useRef<HTMLElement>(null)
  const last = useRef(path)
  useEffect(() => {
    if (last.current === path) return
    last.current = path
    main.current?.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [path])
  return main
}

function Sidebar({
  current,
  about,
  isAnswering,
}: {
  readonly current: Section | undefined
  readonly about: About | undefined
  readonly isAnswering: boolean
}): ReactNode {
  return (
    <header className="sidebar">
      <Link to="/" className="brand" aria-label="laban console, topology">
        <img src="/icon.svg" alt="" width="20" height="20" />
        laban
      </Link>
      <nav aria-label="Pages">
        <ul>
          {SECTIONS.map((section) => (
            <li key={section.path}>
              <Link to={section.path} aria-current={section === current ? 'page' : undefined}>
                {section.name}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <footer className="target">
        <p className={isAnswering ? 'answering' : 'silent'}>{isAnswering ? 'Live' : 'Not answering'}</p>
        {about !== undefined && (
          <>
            <p title={about.target}>{about.target}</p>
            {about.namespace !== '' && <p title={about.namespace}>namespace {about.namespace}</p>}
            <p>flows from the {about.readsFrom}</p>
            <p>{about.actions.enabled ? 'Actions need the token' : 'Read-only'}</p>
          </>
        )}
      </footer>
    </header>
  )
}
