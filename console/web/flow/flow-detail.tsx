/** What is chosen in a flow: a handling, an event with its body, or a group whose members are read page by page. */
import type { ReactNode } from 'react'
import type { EventView, FlowView, HandlingView } from '../../api.ts'
import { EventFacts } from './event-facts.tsx'
import { GroupFacts } from './group-facts.tsx'
import { HandlingFacts } from './handling-facts.tsx'
import { DetailPanel } from '../parts/detail.tsx'

/** See the file's head. */
export function FlowDetail({
  flow,
  selected,
  onSelect,
}: {
  readonly flow: FlowView
  readonly selected: string
  readonly onSelect: (id: string) => void
}): ReactNode {
  const close = (): void => onSelect('')
  const handling = flow.graph?.handlings.find(({ key }) => key === selected)
  const event = flow.graph?.events.find(({ id }) => id === selected)
  const group = flow.graph === null ? flow.groups.find(({ id }) => id === selected) : undefined
  const topicOf = (id: string): string => flow.graph?.events.find((each) => each.id === id)?.topic ?? ''
  if (handling !== undefined) {
    return (
      <DetailPanel title={handling.agent} onClose={close}>
        <HandlingFacts handling={handling} flow={flow} topicOf={topicOf} onSelect={onSelect} />
      </DetailPanel>
    )
  }
  if (event !== undefined) {
    return (
      <DetailPanel title={event.topic === '' ? event.id : event.topic} onClose={close}>
        <EventFacts event={event} handlers={handlersOf(event, flow)} onSelect={onSelect} />
      </DetailPanel>
    )
  }
  if (group === undefined) return null
  return (
    <DetailPanel title={group.kind === 'events' ? group.topic : group.agent} onClose={close}>
      <GroupFacts flow={flow} group={group} />
    </DetailPanel>
  )
}

function handlersOf({ id }: EventView, { graph }: FlowView): readonly HandlingView[] {
  return graph?.handlings.filter(({ inputs }) => inputs.includes(id)) ?? []
}
