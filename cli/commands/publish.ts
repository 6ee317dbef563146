/** `laban publish`: one event per row of a file. Publishing the same file again changes nothing. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

const options = {
  file: { kind: 'text', metavar: 'path', summary: 'File to publish, CSV or JSON lines; - for stdin' },
  format: { kind: 'choice', choices: ['csv', 'jsonl'], summary: "Format, where the file's name does not say it" },
  map: {
    kind: 'text',
    metavar: 'path',
    summary: 'JSON file: contract field to column; without it columns are field names',
  },
  id: { kind: 'text', metavar: 'column', summary: 'Column whose value identifies the event' },
  batch: {
    kind: 'text',
    metavar: 'name',
    summary: "Name that ids derive from when there is no --id. Default: the file's name",
  },
  rate: { kind: 'number', unit: 'events/s', minimum: 0.001, summary: 'Publish no faster than this' },
  onError: { kind: 'choice', choices: ['stop', 'skip'], default: 'stop', summary: 'What a bad row does' },
  idsOut: {
    kind: 'text',
    metavar: 'path',
    summary: 'Write the flow id of every published row, one per line, in file order',
  },
  on: ON_OPTION,
  json: { kind: 'flag', summary: 'Summary as JSON' },
} as const

export const publish = defineCommand({
  name: 'publish',
  summary: 'Publish a file, one event per row',
  description:
    'Every row begins a flow. Ids derive from the --id column, or from batch name, content and occurrence of the row: publishing ' +
    'a file again changes nothing, an appended row is one new flow, two equal rows stay two flows. A map is JSON: ' +
    '{ "<field>": "<column>" }, { "<field>": { "column": "<column>", "as": "boolean-from-01" } } or { "<field>": { "value": 1 } }.',
  arguments: [{ name: 'topic', summary: 'Topic, without namespace' }],
  options,
  examples: [
    {
      command: 'laban publish credit.application-received --file applications.csv --id applicationId',
      explains: 'Columns are named like the fields of the contract',
    },
    {
      command:
        'laban publish credit.application-received --file loans.csv --map services/credit/sample/loans-map.json --on-error skip',
      explains: 'Columns are mapped; bad rows are reported and passed over',
    },
    {
      command: 'cat new.jsonl | laban publish credit.application-received --file - --batch 2026-11-21 --rate 50',
      explains: 'From stdin, 50 events a second',
    },
  ],
  async run([topic = ''], given, context) {
    const { LabanError } = await import('../../runtime/internal.ts')
    const { file } = given
    if (file === undefined)
      throw new LabanError('LABAN_USAGE', { problem: 'publish needs --file <path>, or --file - for stdin' })
    if (file === '-' && given.batch === undefined && given.id === undefined) {
      throw new LabanError('LABAN_USAGE', { problem: 'publishing from stdin needs --batch <name> or --id <column>' })
    }
    const { publishFile } = await import('../publish/publish-file.ts')
    return await publishFile({ ...given, topic, file }, context)
  },
})
