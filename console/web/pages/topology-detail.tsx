/** What is known of the agent or topic that is chosen in the topology. */
import type { ReactNode } from 'react'
import type { AgentView, Topology, TopicView } from '../../api.ts'
import { agoText, countText, rateText } from '../format.ts'
import { agentId, topicId } from '../graph/topology-model.ts'
import { DetailPanel, Rows } from '../parts/detail.tsx'
import { Moment } from '../parts/page-head.tsx'
import { Status } from '../parts/status.tsx'
import { Link } from '../router.tsx'

interface Chosen {
  readonly topology: Topology
  readonly selected: string
  readonly onSelect: (id: string) => void
}

/** See the file's head. */
export function TopologyDetail({ topology, selected, onSelect }: Chosen): ReactNode {
  const agent = topology.agents.find(({ name }) => agentId(name) === selected)
  const topic = topology.topics.find(({ name }) => topicId(name) === selected)
  if (agent !== undefined) return <AgentDetail agent={agent} nowMs={topology.takenAtMs} onSelect={onSelect} />
  if (topic !== undefined) return <TopicDetail topic={topic} onSelect={onSelect} />
  return null
}

function AgentDetail({
  agent,
  nowMs,
  onSelect,
}: {
  readonly agent: AgentView
  readonly nowMs: number
  readonly onSelect: (id: string) => void
}): ReactNode {
  const { name, summary, state, lag, perSecond, deadLetters, consumes, isJoin, always, oneOf, maybe, policies } = agent
  return (
    <DetailPanel title={name} onClose={() => onSelect('')}>
      <p>{summary}</p>
      <Rows
        rows={[
          ['State', <Status key="state" status={state} />],
          ['Ends with', rateText(perSecond)],
          ['Behind', lag === null ? 'has never committed' : countText(lag)],
          [
            'Dead letters',
            deadLetters === 0 ? (
              '0'
            ) : (
              <Link key="letters" to="/dead-letters">
                {deadLetters}
              </Link>
            ),
          ],
          [
            'Flows',
            <Link key="flows" to={`/flows?agent=${encodeURIComponent(name)}`}>
              with this agent
            </Link>,
          ],
        ]}
      />
      <h3>{isJoin ? 'Consumes, when all are there' : 'Consumes'}</h3>
      <TopicButtons topics={consumes} onSelect={onSelect} />
      {always.length > 0 && <h3>Always publishes</h3>}
      <TopicButtons topics={always} onSelect={onSelect} />
      {oneOf.length > 0 && <h3>Publishes one of</h3>}
      <TopicButtons topics={oneOf} onSelect={onSelect} />
      {maybe.length > 0 && <h3>May publish</h3>}
      <TopicButtons topics={maybe} onSelect={onSelect} />
      <h3>Instances</h3>
      <ul className="plain">
        {agent.instances.slice(0, 12).map((each) => (
          <li key={each.instance}>
            <Status status={each.state} /> <span className="id">{each.instance}</span>, {each.version}, heard of{' '}
            <Moment atMs={each.seenAtMs} text={agoText(nowMs - each.seenAtMs)} />
          </li>
        ))}
      </ul>
      {Object.keys(policies).length > 0 && <h3>Policies</h3>}
      <Rows rows={Object.entries(policies).map(([policy, value]) => [policy, value])} />
    </DetailPanel>
  )
}

function TopicDetail({
  topic,
  onSelect,
}: {
  readonly topic: TopicView
  readonly onSelect: (id: string) => void
}): ReactNode {
  const { name, owner, exists, partitions, records, perSecond, producers, consumers } = topic
  return (
    <DetailPanel title={name} onClose={() => onSelect('')}>
      <Rows
        rows={[
          ['Owner', owner === '' ? 'no contract' : owner],
          ['Partitions', exists ? String(partitions) : 'it does not exist'],
          ['Records', countText(records)],
          ['Rate', rateText(perSecond)],
          [
            'Contract',
            owner === '' ? (
              '–'
            ) : (
              <Link key="contract" to={`/contracts/${encodeURIComponent(name)}`}>
                fields and rules
              </Link>
            ),
          ],
        ]}
      />
      <h3>From</h3>
      <AgentButtons agents={producers} none="publishers outside" onSelect={onSelect} />
      <h3>To</h3>
      <AgentButtons agents={consumers} none="Nobody subscribes to it." onSelect={onSelect} />
    </DetailPanel>
  )
}

function TopicButtons({
  topics,
  onSelect,
}: {
  readonly topics: readonly string[]
  readonly onSelect: (id: string) => void
}): ReactNode {
  return (
    <ul className="chips">
      {topics.map((topic) => (
        <li key={topic}>
          <button type="button" className="chip" onClick={() => onSelect(topicId(topic))}>
            {topic}
          </button>
        </li>
      ))}
    </ul>
  )
}

function AgentButtons({
  agents,
  none,
  onSelect,
}: {
  readonly agents: readonly string[]
  readonly none: string
  readonly onSelect: (id: string) => void
}): ReactNode {
  if (agents.length === 0) return <p className="quiet">{none}</p>
  return (
    <ul className="chips">
      {agents.map((agent) => (
        <li key={agent}>
          <button type="button" className="chip" onClick={() => onSelect(agentId(agent))}>
            {agent}
          </button>
        </li>
      ))}
    </ul>
  )
}
