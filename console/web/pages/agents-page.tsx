/** Agents and their instances, those that have stopped or fallen silent included. */
import type { ReactNode } from 'react'
import type { AgentView, Topology } from '../../api.ts'
import { agoText, plural, timeText } from '../format.ts'
import { Moment, PageHead } from '../parts/page-head.tsx'
import { Answer, EmptyState } from '../parts/states.tsx'
import { Status } from '../parts/status.tsx'
import { useLive } from '../use-live.ts'
import { AgentTable } from './topology-page.tsx'

const EVERY_MS = 3_000

/** See the file's head. */
export function AgentsPage(): ReactNode {
  const live = useLive<Topology>('/api/topology', EVERY_MS)
  const instances = live.data?.agents.flatMap((agent) => agent.instances) ?? []
  const running = instances.filter(({ state }) => state === 'running').length
  const facts =
    live.data === undefined
      ? ''
      : `${plural(live.data.agents.length, 'agent')}  ·  ${plural(running, 'instance')} running`
  return (
    <>
      <PageHead title="Agents" facts={facts} />
      <Answer live={live} what="agents">
        {({ agents, takenAtMs }) =>
          agents.length === 0 ? (
            <EmptyState title="No agent has announced itself">
              Start one with <code>laban run &lt;agent file&gt;</code>.
            </EmptyState>
          ) : (
            <>
              <AgentTable agents={agents} />
              <h2>Instances</h2>
              <InstanceTable agents={agents} nowMs={takenAtMs} />
            </>
          )
        }
      </Answer>
    </>
  )
}

function InstanceTable({
  agents,
  nowMs,
}: {
  readonly agents: readonly AgentView[]
  readonly nowMs: number
}): ReactNode {
  return (
    <div className="table-scroll">
      <table>
        <caption className="visually-hidden">Instances</caption>
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">Instance</th>
            <th scope="col">State</th>
            <th scope="col">Version</th>
            <th scope="col">Host</th>
            <th scope="col">Started</th>
            <th scope="col">Heard of</th>
          </tr>
        </thead>
        <tbody>
          {agents.flatMap((agent) =>
            agent.instances.map(({ instance, state, version, host, pid, startedAtMs, seenAtMs }) => (
              <tr key={`${agent.name} ${instance}`}>
                <th scope="row">{agent.name}</th>
                <td className="id">{instance}</td>
                <td>
                  <Status status={state} />
                </td>
                <td>{version}</td>
                <td>
                  {host}, process {pid}
                </td>
                <td>
                  <Moment atMs={startedAtMs} text={timeText(startedAtMs)} />
                </td>
                <td>
                  <Moment atMs={seenAtMs} text={agoText(nowMs - seenAtMs)} />
                </td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  )
}
