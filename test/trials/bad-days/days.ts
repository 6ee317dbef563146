/** The bad days of servers and of the wires to them, by name. */
import { API } from '../../harness/kafka-proxy.ts'
import { startOwnKafka, type OwnBroker, type OwnKafka, type OwnKafkaOptions } from '../../harness/own-kafka.ts'
import { waitFor } from '../../harness/wait.ts'
import { lasting, spending, type Day, type Place, type SpendDay } from './day.ts'
import { Scene, steadyMs, type SceneOptions } from './scene.ts'

/** A scene on brokers of its own. */
export interface OwnPlace extends Place {
  readonly kafka: OwnKafka
  readonly first: OwnBroker
  readonly random: () => number
}

/** Sets a scene on one broker, or more. */
export async function setOwn(
  random: () => number,
  kafkaOptions: OwnKafkaOptions = {},
  options: Omit<SceneOptions, 'brokers'> = {},
): Promise<OwnPlace> {
  const kafka = await startOwnKafka(kafkaOptions)
  try {
    const [first] = kafka.nodes
    if (first === undefined) throw new RangeError('a cluster without brokers')
    const scene = await Scene.make({ ...options, brokers: kafka.brokers })
    return { kafka, first, scene, random, close: () => kafka.close() }
  } catch (error) {
    await kafka.close()
    throw error
  }
}

const STORE_AWAY = [/the store does not answer/, /LABAN_STORE_UNAVAILABLE|Redis at/]
const BROKER_AWAY = [/the broker does not answer/]

const redisDown: Day<OwnPlace> = {
  set: setOwn,
  befall: ({ scene: { redis } }) => lasting(15_000, redis.kill, redis.start),
  says: STORE_AWAY,
  resumesWithinMs: 5_000,
}

const redisFrozen: Day<OwnPlace> = {
  set: setOwn,
  befall: ({ scene: { redis } }) => lasting(20_000, redis.freeze, redis.thaw),
  says: STORE_AWAY,
  resumesWithinMs: 15_000,
}

/** Agents that run know their schemas; one that starts ends at once and says why. */
const registryDown: Day<OwnPlace> = {
  set: setOwn,
  async befall({ scene }) {
    await scene.registry.refuse()
    const beganAtMs = steadyMs()
    const { code, stderr } = await scene.startAnother().running.ended
    const took = `a process that started meanwhile ended with ${code} after ${steadyMs() - beganAtMs} ms`
    await scene.registry.accept()
    const isRight = code === 69 && stderr.includes('LABAN_REGISTRY_UNAVAILABLE') && stderr.includes('remedy')
    return { beganAtMs, endedAtMs: steadyMs(), notes: [took], violations: isRight ? [] : [`it said ${stderr}`] }
  },
  isSeen: false,
  resumesWithinMs: 2_000,
}

const brokerKilled: Day<OwnPlace> = {
  set: setOwn,
  befall: ({ first: { node } }) =>
    lasting(
      15_000,
      () => node.end('SIGKILL'),
      () => node.start(),
    ),
  says: BROKER_AWAY,
  resumesWithinMs: 20_000,
}

const brokerFrozen: Day<OwnPlace> = {
  set: setOwn,
  befall: ({ first: { node } }) =>
    lasting(
      45_000,
      () => node.signal('SIGSTOP'),
      () => node.signal('SIGCONT'),
    ),
  says: BROKER_AWAY,
  resumesWithinMs: 20_000,
}

const networkCut: Day<OwnPlace> = {
  set: setOwn,
  befall: ({ first: { wire } }) => lasting(20_000, wire.refuse, wire.accept),
  says: BROKER_AWAY,
  resumesWithinMs: 20_000,
}

const networkSilent: Day<OwnPlace> = {
  set: setOwn,
  befall: ({ first: { wire } }) => lasting(45_000, wire.hush, wire.accept),
  says: BROKER_AWAY,
  resumesWithinMs: 20_000,
}

/** The broker appends and nobody hears of it: a fifth of all answers to producing. */
const lostAnswers: Day<OwnPlace> = {
  set: setOwn,
  async befall({ first: { wire }, random }) {
    const lasted = await lasting(
      30_000,
      () => wire.loseShare(API.produce, 0.2, random),
      () => wire.loseShare(API.produce, 0, random),
    )
    return { ...lasted, notes: [`${wire.lost} of ${wire.requests(API.produce)} answers to producing were lost`] }
  },
  isSeen: false,
  resumesWithinMs: 10_000,
}

/** One broker after the other ends, as an upgrade does it; the next one when the one before is back in every replica set. */
const rollingBrokers: Day<OwnPlace> = {
  set: (random) => setOwn(random, { brokers: 3 }, { env: { LABAN_ENVIRONMENT: 'three-brokers' } }),
  async befall({ kafka: { nodes }, scene }) {
    const joins = (): number => nodes.reduce((sum, { wire }) => sum + wire.requests(API.joinGroup), 0)
    const joinsBefore = joins()
    const beganAtMs = steadyMs()
    for (const { node } of nodes) {
      await node.end('SIGTERM')
      await node.start()
      const backAtMs = steadyMs()
      await waitFor(() => steadyMs() - backAtMs > 5_000, { timeoutMs: 6_000 })
    }
    const endedAtMs = steadyMs()
    return {
      beganAtMs,
      endedAtMs,
      notes: [`${joins() - joinsBefore} joins`, longestPause(scene, beganAtMs, endedAtMs)],
    }
  },
  isSeen: false,
  resumesWithinMs: 10_000,
}

/** A stopped process: its work is taken over, and it is a member again afterwards. */
const processFrozen: Day<OwnPlace> = {
  set: setOwn,
  async befall({ scene }) {
    const [frozen, other] = scene.processes
    if (frozen === undefined || other === undefined) throw new RangeError('too few processes')
    const lasted = await lasting(
      60_000,
      () => process.kill(frozen.pid, 'SIGSTOP'),
      () => process.kill(frozen.pid, 'SIGCONT'),
    )
    const { beganAtMs, endedAtMs } = lasted
    const notes = [longestPause(scene, beganAtMs, endedAtMs)]
    return { ...lasted, notes, isAsked: (pid) => pid === other.pid, isWork: (pid) => pid === frozen.pid }
  },
  isSeen: false,
  resumesWithinMs: 40_000,
}

function longestPause(scene: Scene, fromMs: number, toMs: number): string {
  const times = scene.runs().flatMap(({ atMs }) => (atMs >= fromMs && atMs <= toMs ? [atMs] : []))
  const longest = times
    .sort((a, b) => a - b)
    .reduce((most, atMs, at) => Math.max(most, atMs - (times[at - 1] ?? fromMs)), 0)
  return `no handler began for ${longest} ms at most`
}

/** By name. */
export const SERVER_DAYS = {
  'redis-down': spending(redisDown),
  'redis-frozen': spending(redisFrozen),
  'registry-down': spending(registryDown),
  'broker-killed': spending(brokerKilled),
  'broker-frozen': spending(brokerFrozen),
  'network-cut': spending(networkCut),
  'network-silent': spending(networkSilent),
  'lost-answers': spending(lostAnswers),
  'rolling-brokers': spending(rollingBrokers),
  'process-frozen': spending(processFrozen),
} as const satisfies Readonly<Record<string, SpendDay>>
