/** What holds for the files of the repository as such: sizes, places, and nothing of one machine. */
import { hostname, userInfo } from 'node:os'
import { describe, expect, it } from 'vitest'
import { projectFiles, read, SOURCE_FOLDERS, textFiles } from './project-files.ts'

const files = projectFiles()
const MAX_SOURCE_LINES = 400
const MAX_README_LINES = 40
/** Places where a path of one machine would begin; `/home/node` is the user of the container image. */
const MACHINE_PATH = /(?<![\w.:/$}-])\/(?:work|root|home(?!\/node\b)|Users|tmp\/[\w-]+)\/[\w.-]/
const REGISTRY_HOST = /registry\.npmjs\.org|registry\.yarnpkg|npm\.pkg\.github|artifactory|nexus\./i

describe('repository', () => {
  it('keeps source files short enough to read', () => {
    const long = files
      .filter((path) => /\.(ts|tsx|lua)$/.test(path) && !path.startsWith('contracts/generated/'))
      .map((path) => ({ path, lines: read(path).split('\n').length - 1 }))
      .filter(({ lines }) => lines > MAX_SOURCE_LINES)
    expect(long).toEqual([])
  })

  it('opens every source file with what it is for', () => {
    const bare = files
      .filter((path) => /\.(ts|tsx)$/.test(path) && !/^contracts\/generated\/|\.test\.ts$/.test(path))
      .filter((path) => !/^(#!.*\n)?\s*(\/\*\*|\/\/)/.test(read(path)))
    expect(bare).toEqual([])
  })

  it('names no path of one machine', () => {
    const here = files.filter((path) => path.startsWith('test/architecture/'))
    const found = textFiles()
      .filter((path) => !here.includes(path) && path !== 'package-lock.json')
      .flatMap((path) => linesWith(path, MACHINE_PATH))
    expect(found).toEqual([])
  })

  it('names no package registry, user or host', () => {
    const here = files.filter((path) => path.startsWith('test/architecture/'))
    const found = textFiles()
      .filter((path) => !here.includes(path))
      .flatMap((path) => linesWith(path, REGISTRY_HOST))
    expect(found).toEqual([])
    expect(files.filter((path) => path.includes(hostname()) || path.includes(`/${userInfo().username}/`))).toEqual([])
  })

  it('holds nothing that a tool makes', () => {
    expect(files.filter((path) => /(^|\/)(node_modules|dist|\.laban|coverage)\//.test(path))).toEqual([])
    expect(files.filter((path) => /\.(tgz|log|tsbuildinfo|orig|rej|swp)$/.test(path))).toEqual([])
  })

  it('has few files at the top', () => {
    expect(files.filter((path) => !path.includes('/')).length).toBeLessThanOrEqual(25)
  })

  it('names files in kebab case and none of them utils', () => {
    const code = files.filter((path) => /\.(ts|js|lua)$/.test(path))
    expect(code.filter((path) => !/(^|\/)\.?[a-z0-9]+([.-][a-z0-9]+)*\.(ts|js|lua)$/.test(path))).toEqual([])
    expect(code.filter((path) => /(^|\/)(utils?|helpers?|common|misc|types)(\.ts|\/)/.test(path))).toEqual([
      // `test/types` are tests of types.
      ...code.filter((path) => path.startsWith('test/types/')),
    ])
  })

  const folders = [...SOURCE_FOLDERS.filter((folder) => folder !== 'docs'), 'docs']
  it.each(folders)('%s has a README of at most 40 lines', (folder) => {
    expect(files).toContain(`${folder}/README.md`)
    expect(read(`${folder}/README.md`).split('\n').length - 1).toBeLessThanOrEqual(MAX_README_LINES)
  })
})

function linesWith(path: string, pattern: RegExp): string[] {
  return read(path)
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 160)}`] : []))
}
