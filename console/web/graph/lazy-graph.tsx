/** The drawing comes as a file of its own, loaded when something is drawn: lists open without it. */
import { lazy, Suspense, type ReactNode } from 'react'
import { Loading } from '../parts/states.tsx'
import type { GraphViewProps } from './graph-view.tsx'

const GraphView = lazy(async () => ({ default: (await import('./graph-view.tsx')).GraphView }))

/** A drawing; see `graph-view.tsx`. */
export function LazyGraph(props: GraphViewProps): ReactNode {
  return (
    <Suspense fallback={<Loading what="the drawing" />}>
      <GraphView {...props} />
    </Suspense>
  )
}
