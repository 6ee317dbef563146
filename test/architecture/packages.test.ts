/** package.json, the lockfile and docs/design/dependencies.md agree, and a fresh `npm ci` needs no answer from anybody. */
import { describe, expect, it } from 'vitest'
import { read } from './project-files.ts'

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface LockedPackage extends Manifest {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly hasInstallScript?: boolean
  readonly link?: boolean
}

const manifest = JSON.parse(read('package.json')) as Manifest & {
  readonly allowScripts: Readonly<Record<string, boolean>>
}
const lock = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, LockedPackage>> }
const direct = { ...manifest.dependencies, ...manifest.devDependencies }
const locked = Object.entries(lock.packages).filter(([path]) => path !== '')

describe('packages', () => {
  it('pins every direct dependency exactly', () => {
    expect(Object.entries(direct).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })

  it('locks what package.json asks for', () => {
    expect(lock.packages['']?.dependencies).toEqual(manifest.dependencies)
    expect(lock.packages['']?.devDependencies).toEqual(manifest.devDependencies)
    for (const [name, version] of Object.entries(direct)) {
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version)
    }
  })

  it('locks content, not the place it was fetched from', () => {
    expect(read('.npmrc')).toMatch(/^omit-lockfile-registry-resolved=true$/m)
    expect(read('.npmrc')).not.toMatch(/registry\s*=\s*http/)
    expect(locked.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([])
    expect(locked.filter(([, { integrity, link }]) => integrity === undefined && !link).map(([path]) => path)).toEqual(
      [],
    )
  })

  // npm leaves out a package for another platform when it could not be found, and then `npm ci` fails everywhere.
  it('locks the packages of all platforms', () => {
    const names = new Set(locked.map(([path]) => path.split('node_modules/').at(-1)))
    const missing = locked.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !names.has(name))
        .map((name) => `${name} of ${path}`),
    )
    expect(missing).toEqual([])
  })

  it('decides about every install script', () => {
    const scripted = locked
      .filter(([, { hasInstallScript, ...rest }]) => hasInstallScript === true && !('optional' in rest))
      .map(([path]) => path.split('node_modules/').at(-1) ?? path)
    expect(scripted.filter((name) => !(name in manifest.allowScripts))).toEqual([])
    expect(manifest.allowScripts['node']).toBe(true)
  })

  it('gives a reason for every dependency, and for nothing else', () => {
    const page = read('docs/design/dependencies.md')
    const explained = [...page.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name = '']) => name)
    expect(explained.toSorted()).toEqual(Object.keys(direct).toSorted())
  })
})
