/** Generated pages say what the tables say; the public API changes only together with its snapshot. */
import { describe, expect, it } from 'vitest'
import { PAGES } from '../../docs/generate.ts'
import { read } from './project-files.ts'

describe('reference pages', () => {
  it.each(Object.entries(PAGES))('%s is what `npm run docs` writes', (path, generate) => {
    expect(read(path)).toBe(generate())
  })
})
