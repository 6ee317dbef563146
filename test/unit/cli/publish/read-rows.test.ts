/** Rows come as a stream with the line they stand on; a broken row is one bad row, a broken file is an error. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSource, readRows, type InputRow } from '../../../../cli/publish/read-rows.ts'
import { emptyFolder } from '../../../harness/run-laban.ts'

async function read(
  name: string,
  content: string,
): Promise<{ columns: readonly string[] | undefined; rows: InputRow[] }> {
  const file = join(emptyFolder(), name)
  writeFileSync(file, content)
  const { columns, rows } = await readRows(await openSource(file, undefined))
  const found: InputRow[] = []
  for await (const row of rows) found.push(row)
  return { columns, rows: found }
}

describe('CSV', () => {
  it('gives cells by column and the line, through quotes, a byte order mark and blank lines', async () => {
    const { columns, rows } = await read('a.csv', '\uFEFFa,b\r\n1,"x, ""y"""\r\n\r\n2,z')
    expect(columns).toEqual(['a', 'b'])
    expect(rows).toEqual([
      { line: 2, cells: { a: '1', b: 'x, "y"' } },
      { line: 4, cells: { a: '2', b: 'z' } },
    ])
  })

  it('marks rows with too few or too many cells and goes on', async () => {
    const { rows } = await read('a.csv', 'a,b\n1\n1,2,3\n1,2\n')
    expect(rows.map((row) => row.problem?.expected)).toEqual([
      '2 cells, the row has 1',
      '2 cells, the row has 3',
      undefined,
    ])
  })

  it.each([
    ['', 'no header'],
    ['a,a\n1,2\n', 'names a twice'],
    ['a,b\n1,"x\n', 'line'],
  ])('refuses %j as a file', async (content, problem) => {
    await expect(read('a.csv', content)).rejects.toThrow(problem)
  })
})

describe('JSON lines', () => {
  it('gives objects and marks what is none', async () => {
    const { columns, rows } = await read('a.jsonl', '{"a":1}\n\n[1]\n{"a"\n{"a":2}')
    expect(columns).toBeUndefined()
    expect(rows.map(({ line, cells, problem }) => [line, cells, problem === undefined])).toEqual([
      [1, { a: 1 }, true],
      [3, {}, false],
      [4, {}, false],
      [5, { a: 2 }, true],
    ])
  })
})

describe('openSource', () => {
  it('needs a known ending or a format', async () => {
    await expect(openSource('a.txt', undefined)).rejects.toThrow('--format')
    await expect(openSource('/no/such/file.csv', undefined)).rejects.toMatchObject({ code: 'LABAN_PUBLISH_INPUT' })
  })
})
