/** Type-checks source texts with the project's own settings, as files that exist only in memory. */
import { dirname, join, resolve } from 'node:path'
import ts from 'typescript'

const ROOT = resolve(import.meta.dirname, '..', '..')

/** The compiler's messages per text, in order; an empty list means that it compiles. */
export function compile(texts: Readonly<Record<string, string>>): Readonly<Record<string, readonly string[]>> {
  const virtual = new Map(
    Object.entries(texts).map(([name, text]) => [join(ROOT, 'services', `${name}.type-test.ts`), text]),
  )
  const options = compilerOptions()
  const host = ts.createCompilerHost(options)
  const fileExists = host.fileExists.bind(host)
  const readFile = host.readFile.bind(host)
  const getSourceFile = host.getSourceFile.bind(host)
  host.fileExists = (file) => virtual.has(file) || fileExists(file)
  host.readFile = (file) => virtual.get(file) ?? readFile(file)
  host.getSourceFile = (file, languageVersion) => {
    const text = virtual.get(file)
    return text === undefined ? getSourceFile(file, languageVersion) : ts.createSourceFile(file, text, languageVersion)
  }
  const program = ts.createProgram(
    [...virtual.keys(), join(ROOT, 'contracts', 'generated', 'events.ts')],
    options,
    host,
  )
  return Object.fromEntries(
    [...virtual.keys()].map((file, index) => {
      const source = program.getSourceFile(file)
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
      return [
        Object.keys(texts)[index] ?? '',
        found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
      ]
    }),
  )
}

function compilerOptions(): ts.CompilerOptions {
  const path = join(ROOT, 'tsconfig.json')
  const config: unknown = ts.readConfigFile(path, (file) => ts.sys.readFile(file)).config
  return ts.parseJsonConfigFileContent(config, ts.sys, dirname(path)).options
}
