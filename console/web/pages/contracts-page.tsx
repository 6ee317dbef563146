/** Contracts: what may be said on each topic. */
import type { ReactNode } from 'react'
import type { ContractLine } from '../../api.ts'
import { plural, retentionText } from '../format.ts'
import { PageHead } from '../parts/page-head.tsx'
import { Answer } from '../parts/states.tsx'
import { Link } from '../router.tsx'
import { useLive } from '../use-live.ts'

const EVERY_MS = 60_000

/** See the file's head. */
export function ContractsPage(): ReactNode {
  const live = useLive<readonly ContractLine[]>('/api/contracts', EVERY_MS)
  return (
    <>
      <PageHead title="Contracts" facts={live.data === undefined ? '' : plural(live.data.length, 'topic')} />
      <Answer live={live} what="contracts">
        {(contracts) => (
          <div className="table-scroll">
            <table>
              <caption className="visually-hidden">Contracts by topic</caption>
              <thead>
                <tr>
                  <th scope="col">Topic</th>
                  <th scope="col">Owner</th>
                  <th scope="col" className="number">
                    Fields
                  </th>
                  <th scope="col" className="number">
                    Rules
                  </th>
                  <th scope="col" className="number">
                    Released
                  </th>
                  <th scope="col">Key</th>
                  <th scope="col" className="number">
                    Partitions
                  </th>
                  <th scope="col">Kept</th>
                </tr>
              </thead>
              <tbody>
                {contracts.map((line) => (
                  <Row key={line.topic} line={line} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Answer>
    </>
  )
}

function Row({ line }: { readonly line: ContractLine }): ReactNode {
  const { topic, owner, fields, rules, versions, keyField, partitions, retentionMs, cleanup, isPlatform } = line
  return (
    <tr>
      <th scope="row">
        <Link to={`/contracts/${encodeURIComponent(topic)}`}>{topic}</Link>
      </th>
      <td>{isPlatform ? 'the platform' : owner}</td>
      <td className="number">{fields}</td>
      <td className="number">{rules}</td>
      <td className="number">{versions === 0 ? 'not yet' : `v${versions}`}</td>
      <td>{keyField ?? 'flow id'}</td>
      <td className="number">{partitions}</td>
      <td>{cleanup === 'compact' ? 'compacted' : retentionText(retentionMs)}</td>
    </tr>
  )
}
