/** Flows: found by id, key, status, agent, time and error; the newest first. */
import { useState, type FormEvent, type ReactNode } from 'react'
import type { FlowLine, FlowList, Topology } from '../../api.ts'
import { getJson, problemOf } from '../api-client.ts'
import { countText, durationText, plural, shortId, timeText } from '../format.ts'
import { useAnnouncement } from '../parts/live-region.tsx'
import { Moment, PageHead } from '../parts/page-head.tsx'
import { Answer, EmptyState } from '../parts/states.tsx'
import { Status } from '../parts/status.tsx'
import { Link, navigate, useAddress } from '../router.tsx'
import { useLive } from '../use-live.ts'

const STATUSES = ['pending', 'processing', 'waiting', 'stuck', 'completed', 'failed']
const FILTERS = ['key', 'status', 'agent', 'error', 'since', 'until'] as const
const TIMES = [
  ['', 'any time'],
  ['15', 'last 15 minutes'],
  ['60', 'last hour'],
  ['1440', 'last day'],
  ['10080', 'last week'],
] as const
const MINUTE_MS = 60_000
const EVERY_MS = 4_000
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** See the file's head. */
export function FlowsPage(): ReactNode {
  const { query } = useAddress()
  const live = useLive<FlowList>(`/api/flows?${useApiQuery(query)}`, EVERY_MS)
  const topology = useLive<Topology>('/api/topology', MINUTE_MS)
  const total = live.data?.total
  useAnnouncement(total === undefined ? undefined : `${plural(total, 'flow')} found`)
  const facts = live.data === undefined ? '' : factsOf(live.data)
  return (
    <>
      <PageHead title="Flows" facts={facts} />
      <Filters key={query.toString()} query={query} agents={topology.data?.agents.map(({ name }) => name) ?? []} />
      <Answer live={live} what="flows">
        {({ flows }) => (flows.length === 0 ? <NoFlows isFiltered={query.size > 0} /> : <FlowTable flows={flows} />)}
      </Answer>
    </>
  )
}

function factsOf({ flows, total }: FlowList): string {
  return flows.length < total ? `the newest ${countText(flows.length)} of ${countText(total)}` : plural(total, 'flow')
}

function NoFlows({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  if (!isFiltered) {
    return (
      <EmptyState title="No flow has begun yet">
        Publish a first event, for example with <code>laban publish &lt;topic&gt; --file &lt;file&gt;</code>.
      </EmptyState>
    )
  }
  return (
    <EmptyState title="No flow fits">
      Take something out of the filter, or <Link to="/flows">look at all of them</Link>.
    </EmptyState>
  )
}

function Filters({
  query,
  agents,
}: {
  readonly query: URLSearchParams
  readonly agents: readonly string[]
}): ReactNode {
  const { submit, problem } = useSearch(query)
  const change = (name: string, value: string): void => navigate(`/flows?${changed(query, [[name, value]]).toString()}`)
  return (
    <form className="filters" role="search" onSubmit={submit}>
      <label>
        Flow or event id, or record key
        <input
          name="key"
          type="search"
          defaultValue={query.get('key') ?? ''}
          placeholder="8bb8bc08 or a key"
          size={26}
        />
      </label>
      <Choice
        label="Status"
        value={query.get('status') ?? ''}
        options={STATUSES}
        onChange={(value) => change('status', value)}
      />
      <Choice
        label="Agent"
        value={query.get('agent') ?? ''}
        options={agents}
        onChange={(value) => change('agent', value)}
      />
      <label>
        Began
        <select value={query.get('since') ?? ''} onChange={(event) => change('since', event.target.value)}>
          {TIMES.map(([minutes, name]) => (
            <option key={minutes} value={minutes}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Error code
        <input name="error" type="search" defaultValue={query.get('error') ?? ''} placeholder="LABAN_…" size={18} />
      </label>
      <button type="submit">Search</button>
      {problem !== '' && <p role="alert">{problem}</p>}
    </form>
  )
}

/** A whole id leads straight to its flow; anything else filters the list. */
function useSearch(query: URLSearchParams): {
  readonly submit: (event: FormEvent<HTMLFormElement>) => void
  readonly problem: string
} {
  const [problem, setProblem] = useState('')
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const text = (name: string): string => {
      const field = fields.get(name)
      return typeof field === 'string' ? field.trim() : ''
    }
    const key = text('key')
    const next = changed(query, [
      ['key', key],
      ['error', text('error')],
    ])
    if (!UUID.test(key)) return navigate(`/flows?${next.toString()}`)
    openId(key.toLowerCase()).then(
      (isFound) => setProblem(isFound ? '' : 'Neither a flow nor an event has this id here.'),
      (error: unknown) => setProblem(problemOf(error).message),
    )
  }
  return { submit, problem }
}

function changed(query: URLSearchParams, fields: readonly (readonly [string, string])[]): URLSearchParams {
  const next = new URLSearchParams(query)
  for (const [name, value] of fields) {
    if (value === '') next.delete(name)
    else next.set(name, value)
  }
  return next
}

function Choice({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string
  readonly value: string
  readonly options: readonly string[]
  readonly onChange: (value: string) => void
}): ReactNode {
  const all = value === '' || options.includes(value) ? options : [value, ...options]
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">any</option>
        {all.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    </label>
  )
}

/** Lines of flows; also below groups of stuck work. */
export function FlowTable({ flows }: { readonly flows: readonly FlowLine[] }): ReactNode {
  const hasKeys = flows.some(({ keys }) => keys.length > 0)
  return (
    <div className="table-scroll">
      <table>
        <caption className="visually-hidden">Flows, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">Flow</th>
            <th scope="col">Status</th>
            <th scope="col">Began with</th>
            {hasKeys && <th scope="col">Key</th>}
            <th scope="col">At</th>
            <th scope="col" className="number">
              Took
            </th>
            <th scope="col" className="number">
              Events
            </th>
            <th scope="col">Open at</th>
            <th scope="col">Errors</th>
          </tr>
        </thead>
        <tbody>
          {flows.map((flow) => (
            <FlowRow key={flow.flowId} flow={flow} hasKeys={hasKeys} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function FlowRow({ flow, hasKeys }: { readonly flow: FlowLine; readonly hasKeys: boolean }): ReactNode {
  const { flowId, status, firstTopic, keys, startedAtMs, durationMs, events, attention, errorCodes } = flow
  return (
    <tr>
      <th scope="row">
        <Link to={`/flows/${flowId}`} className="id" title={flowId}>
          {shortId(flowId)}
        </Link>
      </th>
      <td>
        <Status status={status} />
      </td>
      <td className="topics">{firstTopic === '' ? 'unknown' : firstTopic}</td>
      {hasKeys && (
        <td className="keys">{keys.slice(0, 3).join(', ') + (keys.length > 3 ? ` +${keys.length - 3}` : '')}</td>
      )}
      <td>
        <Moment atMs={startedAtMs} text={timeText(startedAtMs)} />
      </td>
      <td className="number">{durationText(durationMs)}</td>
      <td className="number">{countText(events)}</td>
      <td className="topics">{attention.join(', ')}</td>
      <td className="codes">
        {errorCodes.map((code) => (
          <code key={code}>{code}</code>
        ))}
      </td>
    </tr>
  )
}

function useApiQuery(query: URLSearchParams): string {
  const [now] = useState(() => Date.now())
  const asked = new URLSearchParams()
  for (const name of FILTERS) {
    const value = query.get(name)
    if (value === null || value === '') continue
    // Whole minutes, so that the same question has the same address.
    const atMs = Math.floor(now / MINUTE_MS) * MINUTE_MS - Number(value) * MINUTE_MS
    asked.set(name, name === 'since' && /^\d+$/.test(value) ? String(atMs) : value)
  }
  return asked.toString()
}

/** Goes to the flow of an id, which may be an event's. */
async function openId(id: string): Promise<boolean> {
  const { total } = await getJson<FlowList>(`/api/flows?key=${id}&limit=1`)
  const flows = total > 0 ? [id] : await getJson<readonly string[]>(`/api/events/${id}/flows`)
  const [first] = flows
  if (first === undefined) return false
  navigate(`/flows/${first}`)
  return true
}
