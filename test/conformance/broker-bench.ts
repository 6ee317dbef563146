/** What the broker suite is given, and what each of its tests has at hand. Clients made here are closed after the suite. */
import type { Broker, BrokerProducer, OutgoingRecord } from '../../runtime/ports/broker.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { waitFor } from '../harness/wait.ts'

/** Things that only some brokers let a test do to them. */
export interface BrokerFeatures {
  /** Ends a client without leaving its groups, as kill -9 does. */
  readonly crash?: (client: Broker) => Promise<void>
  /** Makes the broker forget the members that this client has in a group, while the client believes in them. */
  readonly expel?: (client: Broker, group: string) => Promise<void>
  /** Moves the start of a partition up, as retention does. */
  readonly trim?: (topic: string, partition: number, offset: number) => Promise<void>
}

/** A broker to be tested. */
export interface BrokerUnderTest {
  /** A new client of the same log. The suite connects and closes it. */
  readonly client: () => Broker | Promise<Broker>
  readonly features: BrokerFeatures
  /** Why a feature is not there, per feature that is not. */
  readonly missing: Partial<Record<keyof BrokerFeatures, string>>
  /** Longest wait for anything, group membership included. */
  readonly patienceMs: number
  /**
   * Lets the broker's time pass, where a session must time out or outlive one.
   * @default really waits
   */
  readonly letPass?: (ms: number) => Promise<void>
  readonly tearDown?: () => Promise<void>
}

/** What each test has at hand. */
export class BrokerBench {
  readonly patienceMs: number
  readonly features: BrokerFeatures
  readonly #client: BrokerUnderTest['client']
  readonly #letPass: BrokerUnderTest['letPass']
  readonly #open: Broker[] = []
  #producer: BrokerProducer | undefined

  constructor(underTest: BrokerUnderTest) {
    this.patienceMs = underTest.patienceMs
    this.features = underTest.features
    this.#client = underTest.client
    this.#letPass = underTest.letPass
  }

  /** A new connected client; closed after the suite. */
  async client(): Promise<Broker> {
    const client = await this.#client()
    await client.connect()
    this.#open.push(client)
    return client
  }

  /** A client that was ended by other means is not closed again. */
  forget(client: Broker): void {
    this.#open.splice(this.#open.indexOf(client), 1)
  }

  async topic(partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = uniqueName('conformance')
    const client = this.#open[0] ?? (await this.client())
    await client.admin.createTopics([{ topic, partitions, replication: 1, config }])
    return topic
  }

  async send(records: readonly OutgoingRecord[]): ReturnType<BrokerProducer['send']> {
    const client = this.#open[0] ?? (await this.client())
    this.#producer ??= await client.producer()
    return await this.#producer.send(records)
  }

  /** Appends texts to one partition. */
  async write(topic: string, partition: number, ...texts: readonly string[]): ReturnType<BrokerProducer['send']> {
    return await this.send(texts.map((text) => ({ topic, partition, key: 'k', value: Buffer.from(text), headers: {} })))
  }

  /** What to pass to `waitFor`. */
  until(what: string): { timeoutMs: number; what: string } {
    return { timeoutMs: this.patienceMs, what }
  }

  /** Lets the broker's time pass. */
  async letPass(ms: number): Promise<void> {
    if (this.#letPass !== undefined) return await this.#letPass(ms)
    const startMs = performance.now()
    await waitFor(() => performance.now() - startMs >= ms, { timeoutMs: ms + this.patienceMs, what: `${ms} ms` })
  }

  async close(): Promise<void> {
    await this.#producer?.close()
    for (const client of this.#open.toReversed()) await client.close()
  }
}
