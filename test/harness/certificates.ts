/** Certificates of one test: an authority, servers and clients signed by it, and a foreign authority that nobody trusts. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Paths of a certificate, its key, and both in one file as Java reads them. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
  readonly both: string
}

/** An authority that signs. */
export interface Authority {
  /** Path of its own certificate (PEM). */
  readonly ca: string
  /** Signs a certificate for `CN=<name>`, valid for 127.0.0.1 and localhost unless other hosts are given. */
  sign(name: string, hosts?: string): Promise<CertificateFiles>
  /** Path of the same key, encrypted. */
  encryptKey(key: string, passphrase: string): Promise<string>
}

const OWN_MACHINE = 'IP:127.0.0.1,DNS:localhost'

/** Makes an authority whose files lie in `folder`. */
export async function createAuthority(folder: string, name: string): Promise<Authority> {
  const file = (suffix: string): string => join(folder, `${name}${suffix}`)
  const ca = file('.pem')
  const caKey = file('.key')
  await openssl(['req', '-x509', ...NEW_KEY, '-keyout', caKey, '-out', ca, '-days', '2', '-subj', `/CN=${name}`])
  return {
    ca,
    sign: async (subject, hosts = OWN_MACHINE) => {
      const [key, request, cert, extensions] = ['.key', '.csr', '.pem', '.ext'].map((suffix) =>
        join(folder, `${name}-${subject}${suffix}`),
      ) as [string, string, string, string]
      await writeFile(extensions, `subjectAltName=${hosts}\nextendedKeyUsage=serverAuth,clientAuth\n`)
      await openssl(['req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${subject}`])
      const signer = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial']
      await openssl(['x509', '-req', '-in', request, ...signer, '-out', cert, '-days', '2', '-extfile', extensions])
      const both = `${cert}.both`
      await writeFile(both, (await Promise.all([key, cert].map((path) => readFile(path, 'utf8')))).join('\n'))
      return { cert, key, both }
    },
    encryptKey: async (key, passphrase) => {
      const encrypted = `${key}.encrypted`
      await openssl(['pkcs8', '-topk8', '-in', key, '-out', encrypted, '-passout', `pass:${passphrase}`])
      return encrypted
    },
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

async function openssl(args: readonly string[]): Promise<void> {
  await run('openssl', [...args])
}
