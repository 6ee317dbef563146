/** The drawing comes as a file of its own, loaded when something is drawn: lists open without it. */
import { lazy, Suspense, useEffect, type ReactNode } from 'react'
import { Loading } from '../parts/states.tsx'
import type { GraphViewProps } from './graph-view.tsx'

const load = async () => ({ default: (await import('./graph-view.tsx')).GraphView })
const GraphView = lazy(load)

/** Loads it while what is to be drawn is still on its way. */
export function usePreparedGraph(isWanted: boolean): void {
  useEffect(() => {
    // Whoever draws is told of a failure.
    if (isWanted) load().catch(() => undefined)
  }, [isWanted])
}

/** A drawing; see `graph-view.tsx`. */
export function LazyGraph(props: GraphViewProps): ReactNode {
  return (
    <Suspense fallback={<Loading what="the drawing" />}>
      <GraphView {...props} />
    </Suspense>
  )
}
