/** Certificates and keys from files, for any server. They are properties that read their file when a connection asks for them. */
import { readFileSync } from 'node:fs'
import { LabanError } from '../../contracts/errors.ts'
import { latest } from '../config/latest.ts'
import type { Secret } from '../config/secret.ts'

/** Paths as the configuration gives them. */
export interface TlsFilePaths {
  readonly sslCaFile?: string | undefined
  readonly sslCertFile?: string | undefined
  readonly sslKeyFile?: string | undefined
  readonly sslKeyPassphrase?: Secret | undefined
}

/** Options of `tls.connect`. */
export interface TlsFiles {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
}

/**
 * An object for `tls.connect` or `Object.assign`; empty when no file is given.
 * @param section begin of the keys, for errors, for example `kafka`
 * @throws LABAN_CONFIG_INVALID when a file cannot be read now
 */
export function tlsFiles(section: string, paths: TlsFilePaths): TlsFiles {
  const { sslCaFile, sslCertFile, sslKeyFile, sslKeyPassphrase } = paths
  const read = (name: string, file: string | undefined): (() => string) | undefined =>
    file === undefined ? undefined : () => readPem(`${section}.${name}`, file)
  const readers = {
    ca: read('sslCaFile', sslCaFile),
    cert: read('sslCertFile', sslCertFile),
    key: read('sslKeyFile', sslKeyFile),
    passphrase: sslKeyPassphrase === undefined ? undefined : () => sslKeyPassphrase.reveal(),
  }
  const files: TlsFiles = {}
  for (const [name, reader] of Object.entries(readers)) {
    if (reader !== undefined) Object.defineProperty(files, name, { get: latest(reader), enumerable: true })
  }
  return files
}

/** The text of a file that the configuration names. @throws LABAN_CONFIG_INVALID naming the key */
export function readPem(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new LabanError(
      'LABAN_CONFIG_INVALID',
      { path: key, origin: 'the configuration', problem: `${file} cannot be read` },
      { cause },
    )
  }
}
