/** Bad days of logins: the brokers ask for the password again and again, and it has been changed. */
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startSecuredKafka, type SecuredKafka } from '../../harness/secured-kafka.ts'
import { waitFor } from '../../harness/wait.ts'
import { spending, type Day, type Place, type SpendDay } from './day.ts'
import { Scene, steadyMs } from './scene.ts'

const USER = 'worker'
const OLD = 'the-first'
const NEW = 'the-second'
/** Connections end unless they have logged in again by then. */
const SESSION_MS = 12_000

interface LoginPlace extends Place {
  readonly kafka: SecuredKafka
  /** Replaces the file that every process reads its password from. */
  writePassword(password: string): Promise<void>
}

/** The password is changed on the brokers first, and 30 s later in the file of the processes. */
const passwordChanged: Day<LoginPlace> = {
  async set() {
    const kafka = await startSecuredKafka(
      { [USER]: OLD, admin: 'admin-secret' },
      { 'connections.max.reauth.ms': String(SESSION_MS), 'super.users': `User:ANONYMOUS;User:admin;User:${USER}` },
    )
    const file = join(kafka.folder, 'password')
    const writePassword = async (password: string): Promise<void> => {
      await writeFile(`${file}.new`, `${password}\n`)
      await rename(`${file}.new`, file)
    }
    try {
      await writePassword(OLD)
      const env = {
        LABAN_KAFKA_SSL: 'true',
        LABAN_KAFKA_SSL_CA_FILE: kafka.authority.ca,
        LABAN_KAFKA_SASL_MECHANISM: 'scram-sha-512',
        LABAN_KAFKA_SASL_USERNAME: USER,
        LABAN_KAFKA_SASL_PASSWORD_FILE: file,
      }
      const scene = await Scene.make({ brokers: kafka.brokers, env })
      return { kafka, scene, writePassword, close: () => kafka.close() }
    } catch (error) {
      await kafka.close()
      throw error
    }
  },
  async befall({ kafka, writePassword }) {
    const change = `SCRAM-SHA-512=[password=${NEW}]`
    const user = ['--entity-type', 'users', '--entity-name', USER, '--alter', '--add-config', change]
    await kafka.tool('kafka.admin.ConfigCommand', ['--bootstrap-server', kafka.openBrokers, ...user])
    const beganAtMs = steadyMs()
    await waitFor(() => steadyMs() - beganAtMs > 30_000, { timeoutMs: 31_000 })
    await writePassword(NEW)
    return { beganAtMs, endedAtMs: steadyMs() }
  },
  says: [/LABAN_BROKER_LOGIN/, /does not let User:worker in/],
  resumesWithinMs: 20_000,
}

/** By name. */
export const LOGIN_DAYS = { 'password-changed': spending(passwordChanged) } as const satisfies Readonly<
  Record<string, SpendDay>
>
