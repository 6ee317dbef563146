/** Parking in memory: per partition a map of keys, per key the offsets that wait and where their records lie. */
import type { TopicPartition } from '../../ports/broker.ts'
import type { LanePlace, NextParked, ParkingAnswer, ParkingCall, ParkingStore } from '../../ports/parking-store.ts'

/** Of one partition: key (latin1) to what waits; an offset without a place is not stored. */
type PartitionIndex = Map<string, Map<number, number | undefined>>
/** By agent and partition. */
export type ParkingIndex = Map<string, PartitionIndex>

/** The parking of one agent. `run` carries the call out, or fails it. */
export function parkingIn(index: ParkingIndex, agent: string, run: <R>(call: () => R) => Promise<R>): ParkingStore {
  const nameOf = ({ topic, partition }: TopicPartition): string => `${agent} ${topic}/${partition}`
  return {
    keys: (at) =>
      run(() => {
        const lanes = index.get(nameOf(at))
        return lanes === undefined ? undefined : [...lanes.keys()].map((key) => Buffer.from(key, 'latin1'))
      }),
    fill: (at, entries) =>
      run(() => {
        if (index.has(nameOf(at))) return
        const lanes: PartitionIndex = new Map()
        for (const { key, offset, parkedOffset } of entries) laneOf(lanes, key).set(offset, parkedOffset)
        index.set(nameOf(at), lanes)
      }),
    ask: (call) =>
      run(() => {
        const lanes = index.get(nameOf(call))
        return lanes === undefined ? { result: 'lost' } : answer(lanes, call)
      }),
  }
}

function answer(lanes: PartitionIndex, call: ParkingCall): ParkingAnswer {
  if (call.op === 'admit') return { result: admit(lanes, call) }
  const lane = laneOf(lanes, call.key)
  if (call.op === 'leave') lane.delete(call.offset)
  else lane.set(call.offset, call.op === 'store' ? call.parkedOffset : lane.get(call.offset))
  if (lane.size === 0) lanes.delete(call.key.toString('latin1'))
  const next = firstOf(lane)
  return { result: 'done', ...(next?.parkedOffset === undefined ? {} : { next: next as NextParked }) }
}

function admit(lanes: PartitionIndex, { key, offset }: LanePlace): 'free' | 'turn' | 'park' {
  const lane = lanes.get(key.toString('latin1'))
  if (lane === undefined) return 'free'
  lane.set(offset, lane.get(offset))
  const first = firstOf(lane)
  return first?.offset === offset && first.parkedOffset === undefined ? 'turn' : 'park'
}

function laneOf(lanes: PartitionIndex, key: Buffer): Map<number, number | undefined> {
  const name = key.toString('latin1')
  const lane = lanes.get(name) ?? new Map<number, number | undefined>()
  lanes.set(name, lane)
  return lane
}

function firstOf(lane: ReadonlyMap<number, number | undefined>): { offset: number; parkedOffset?: number } | undefined {
  if (lane.size === 0) return undefined
  const offset = Math.min(...lane.keys())
  const parkedOffset = lane.get(offset)
  return { offset, ...(parkedOffset === undefined ? {} : { parkedOffset }) }
}
