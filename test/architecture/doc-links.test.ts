/** Links in Markdown lead somewhere: to a file of the project, and to a heading when they name one. */
import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectDir, projectFiles, read } from './project-files.ts'

const pages = projectFiles().filter((path) => path.endsWith('.md'))

describe('links in Markdown', () => {
  it.each(pages)('%s', (page) => {
    const broken = linksOf(page).filter((link) => !leadsSomewhere(page, link))
    expect(broken).toEqual([])
  })

  it('lead from docs/README.md, or the README of a folder that it names, to every page of docs', () => {
    const linkedFrom = (page: string): string[] =>
      linksOf(page).map((link) => normalize(join(dirname(page), link.split('#')[0] ?? '')))
    const direct = linkedFrom('docs/README.md')
    const indexes = direct.filter((path) => /^docs\/\w+\/README\.md$/.test(path))
    const linked = new Set([...direct, ...indexes.flatMap(linkedFrom)])
    const unlisted = pages.filter((path) => path.startsWith('docs/') && path !== 'docs/README.md' && !linked.has(path))
    expect(unlisted).toEqual([])
  })

  it('are what comments name: a page that code mentions exists', () => {
    const mentioned = projectFiles()
      .filter((path) => /\.(ts|js|lua)$/.test(path) && !path.startsWith('test/architecture/'))
      .flatMap((path) =>
        [...read(path).matchAll(/\bdocs\/[\w/-]+\.(?:md|txt)\b/g)].map(([target]) => `${target} in ${path}`),
      )
    expect(mentioned.filter((entry) => !existsSync(join(projectDir, entry.split(' ')[0] ?? '')))).toEqual([])
  })
})

/** Targets of relative links outside code. */
function linksOf(page: string): string[] {
  const prose = read(page)
    .replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
    .replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', heading] = link.split('#')
  const target = path === '' ? page : normalize(join(dirname(page), path))
  if (!existsSync(join(projectDir, target))) return false
  if (heading === undefined || statSync(join(projectDir, target)).isDirectory()) return true
  return headingsOf(target).includes(heading)
}

/** Anchors as GitHub makes them. */
function headingsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )
}
