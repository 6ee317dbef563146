/** One contract: its fields and rules, who speaks and who hears, and how it has changed from version to version. */
import type { ReactNode } from 'react'
import type { ContractPage as Contract, ContractVersion } from '../../api.ts'
import { countText, retentionText } from '../format.ts'
import { Rows } from '../parts/detail.tsx'
import { Json } from '../parts/json.tsx'
import { PageHead } from '../parts/page-head.tsx'
import { Answer } from '../parts/states.tsx'
import { useLive } from '../use-live.ts'

const EVERY_MS = 60_000

/** See the file's head. */
export function ContractPage({ topic }: { readonly topic: string }): ReactNode {
  const live = useLive<Contract>(`/api/contracts/${encodeURIComponent(topic)}`, EVERY_MS)
  return (
    <>
      <PageHead title={topic} facts={live.data?.doc ?? ''} />
      <Answer live={live} what="the contract">
        {(contract) => (
          <>
            <Rows rows={rowsOf(contract)} />
            <h2>Fields</h2>
            <Fields version={contract.current} />
            <h2>Rules</h2>
            <Rules contract={contract} />
            <h2>History</h2>
            <History contract={contract} />
            <h2>Schema</h2>
            <Json value={contract.current.schema} label={`Avro schema of ${topic}`} />
          </>
        )}
      </Answer>
    </>
  )
}

function rowsOf({ line, file, maxRecordBytes, producers, consumers }: Contract): (readonly [string, ReactNode])[] {
  return [
    ['Owner', line.isPlatform ? 'the platform' : line.owner],
    ['File', file],
    ['Key', line.keyField ?? 'flow id'],
    ['Partitions', String(line.partitions)],
    ['Kept', line.cleanup === 'compact' ? 'the newest of each key' : retentionText(line.retentionMs)],
    ['Largest record', `${countText(maxRecordBytes)} bytes`],
    ['Published by', namesOr(producers, line.isPlatform ? 'every process of laban' : 'publishers outside')],
    ['Heard by', namesOr(consumers, line.isPlatform ? 'the ledger and whoever looks' : 'nobody')],
  ]
}

function namesOr(names: readonly string[], otherwise: string): string {
  return names.length === 0 ? otherwise : names.join(', ')
}

function Fields({ version }: { readonly version: ContractVersion }): ReactNode {
  return (
    <div className="table-scroll">
      <table>
        <caption className="visually-hidden">Fields</caption>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Type</th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        <tbody>
          {version.fields.map(({ name, type, doc, isOptional }) => (
            <tr key={name}>
              <th scope="row">
                {name} {isOptional && <span className="quiet">optional</span>}{' '}
                {version.added.includes(name) && <span className="status busy">not released</span>}
              </th>
              <td className="type">
                <code>{type}</code>
              </td>
              <td className="wide">{doc}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Rules({ contract: { rules } }: { readonly contract: Contract }): ReactNode {
  if (rules.length === 0) return <p className="quiet">None: every value that fits the schema is allowed.</p>
  return (
    <ul className="plain">
      {rules.map(({ name, expression, on }) => (
        <li key={name}>
          <strong>{name}</strong> <code>{expression}</code> <span className="quiet">checked on {on.join(' and ')}</span>
        </li>
      ))}
    </ul>
  )
}

function History({ contract: { history } }: { readonly contract: Contract }): ReactNode {
  if (history.length === 0) return <p className="quiet">Never released.</p>
  return (
    <ol className="plain">
      {history.map(({ name, fields, added, removed, schema }) => (
        <li key={name}>
          <details>
            <summary>
              <strong>{name}</strong> {fields.length} fields{added.length > 0 && `, new: ${added.join(', ')}`}
              {removed.length > 0 && `, gone: ${removed.join(', ')}`}
            </summary>
            <Json value={schema} label={`Avro schema ${name}`} />
          </details>
        </li>
      ))}
    </ol>
  )
}
