/** The first page: who is announced, what flows between them, how fast, how far behind, and what is wrong. */
import { useMemo, type ReactNode } from 'react'
import type { AgentView, Topology } from '../../api.ts'
import { countText, plural, rateText } from '../format.ts'
import { LazyGraph, usePreparedGraph } from '../graph/lazy-graph.tsx'
import { agentId, topologyModel } from '../graph/topology-model.ts'
import { useAnnouncement } from '../parts/live-region.tsx'
import { PageHead, Tabs } from '../parts/page-head.tsx'
import { Answer, EmptyState } from '../parts/states.tsx'
import { Status } from '../parts/status.tsx'
import { Link, useParameter } from '../router.tsx'
import { useLive } from '../use-live.ts'
import { TopologyDetail } from './topology-detail.tsx'

const EVERY_MS = 2_000
const VIEWS = [
  ['graph', 'Graph'],
  ['table', 'Table'],
] as const

/** See the file's head. */
export function TopologyPage(): ReactNode {
  const live = useLive<Topology>('/api/topology', EVERY_MS)
  const [view, setView] = useParameter('view', 'graph')
  usePreparedGraph(view === 'graph')
  const [stopped, setStopped] = useParameter('stopped')
  const alarms = live.data === undefined ? undefined : alarmText(live.data.agents)
  useAnnouncement(alarms)
  return (
    <>
      <PageHead title="Topology" facts={live.data === undefined ? '' : factsOf(live.data)}>
        <label className="check">
          <input
            type="checkbox"
            checked={stopped === 'true'}
            onChange={(event) => setStopped(event.target.checked ? 'true' : '')}
          />
          Stopped agents
        </label>
        <Tabs label="View" options={VIEWS} value={view} onChange={setView} />
      </PageHead>
      <Answer live={live} what="the topology">
        {(topology) =>
          topology.agents.some(({ state }) => stopped === 'true' || state !== 'stopped') ? (
            <Content topology={topology} view={view} showStopped={stopped === 'true'} />
          ) : (
            <EmptyState title="No agent runs here">
              Start one with <code>laban run &lt;agent file&gt;</code>, or all of them with <code>laban dev</code>
              {topology.agents.length > 0 && '; some have stopped, see above'}.
            </EmptyState>
          )
        }
      </Answer>
    </>
  )
}

function Content({
  topology,
  view,
  showStopped,
}: {
  readonly topology: Topology
  readonly view: string
  readonly showStopped: boolean
}): ReactNode {
  const [selected, setSelected] = useParameter('select')
  const model = useMemo(() => topologyModel(topology, showStopped), [topology, showStopped])
  if (view === 'table')
    return <AgentTable agents={topology.agents.filter(({ state }) => showStopped || state !== 'stopped')} />
  return (
    <div className="split">
      <LazyGraph model={model} label="Agents and topics" selected={selected} onSelect={setSelected} />
      {selected !== '' && <TopologyDetail topology={topology} selected={selected} onSelect={setSelected} />}
    </div>
  )
}

/** Agents as rows; also on the page of agents. */
export function AgentTable({ agents }: { readonly agents: readonly AgentView[] }): ReactNode {
  return (
    <div className="table-scroll">
      <table>
        <caption className="visually-hidden">Agents</caption>
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">State</th>
            <th scope="col">Version</th>
            <th scope="col" className="number">
              Instances
            </th>
            <th scope="col" className="number">
              Rate
            </th>
            <th scope="col" className="number">
              Lag
            </th>
            <th scope="col" className="number">
              Dead letters
            </th>
            <th scope="col">Consumes</th>
            <th scope="col">Publishes</th>
          </tr>
        </thead>
        <tbody>
          {agents.map((agent) => (
            <tr key={agent.name}>
              <th scope="row">
                <Link to={`/?select=${encodeURIComponent(agentId(agent.name))}`}>{agent.name}</Link>
                {agent.isPlatform && ' (platform)'}
              </th>
              <td>
                <Status status={agent.state} />
              </td>
              <td>{agent.versions.join(', ')}</td>
              <td className="number">{agent.instances.filter(({ state }) => state === agent.state).length}</td>
              <td className="number">{rateText(agent.perSecond)}</td>
              <td className="number">{agent.lag === null ? '–' : countText(agent.lag)}</td>
              <td className="number">
                {agent.deadLetters === 0 ? '0' : <Link to="/dead-letters">{agent.deadLetters}</Link>}
              </td>
              <td className="topics">{agent.consumes.join(agent.isJoin ? ' + ' : ', ')}</td>
              <td className="topics">{[...agent.always, ...agent.oneOf, ...agent.maybe].join(', ') || 'nothing'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Of what the user's agents do; laban's own have their metrics. */
function factsOf(all: Topology): string {
  const agents = all.agents.filter(({ isPlatform }) => !isPlatform)
  const topics = all.topics.filter(({ isPlatform }) => !isPlatform)
  const running = agents.filter(({ state }) => state === 'running').length
  const behind = agents.reduce((sum, { lag }) => sum + (lag ?? 0), 0)
  const letters = agents.reduce((sum, { deadLetters }) => sum + deadLetters, 0)
  const rates = topics.flatMap(({ perSecond }) => perSecond ?? [])
  const rate = rates.reduce((sum, perSecond) => sum + perSecond, 0)
  return [
    `${plural(running, 'agent')} running`,
    // Two looks make a rate.
    ...(rates.length === 0 ? [] : [`${rateText(rate)} events`]),
    behind === 0 ? 'nobody is behind' : `${plural(behind, 'event')} to go`,
    letters === 0 ? 'no dead letters' : plural(letters, 'dead letter'),
  ].join('  ·  ')
}

function alarmText(agents: readonly AgentView[]): string | undefined {
  const silent = agents.filter(({ state }) => state === 'silent').map(({ name }) => name)
  const dead = agents
    .filter(({ deadLetters }) => deadLetters > 0)
    .map(({ name, deadLetters }) => `${name} has ${plural(deadLetters, 'dead letter')}`)
  const said = [...(silent.length > 0 ? [`silent: ${silent.join(', ')}`] : []), ...dead]
  return said.length === 0 ? undefined : said.join('; ')
}
