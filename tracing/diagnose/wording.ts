/** Words that several verdicts share: how instances, times and counts are told, and the commands that resolve things. */
import { durationText } from '../duration-text.ts'
import type { FlowEvent } from '../flow-graph.ts'
import type { Evidence } from './verdict.ts'
import { placeOf, type Instance } from './world.ts'

/** `14:03:12Z`: the time of day, for moments close to now. */
export function timeText(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19) + 'Z'
}

/** `12 s ago`, `in 3 s`. */
export function agoText(atMs: number, nowMs: number): string {
  return atMs <= nowMs ? `${durationText(nowMs - atMs)} ago` : `in ${durationText(atMs - nowMs)}`
}

/** `1 record`, `3 records`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** One piece of evidence. */
export function evidence(name: string, value: string | number, seenIn: string): Evidence {
  return { name, value: String(value), seenIn }
}

/** What an instance looks like from outside. */
export function lifeEvidence(instance: Instance, nowMs: number): Evidence {
  const { manifest, life, renewedAgoMs } = instance
  const lease = renewedAgoMs === null ? '' : `, lease renewed ${durationText(renewedAgoMs)} ago`
  const value = `${life}${lease}, announced ${agoText(manifest.seenAtMs, nowMs)}, version ${manifest.version}`
  return evidence(`instance ${manifest.instance}`, value, life === 'alive' ? 'laban.agents' : 'laban.agents, store')
}

/** The event that something is about, as evidence. */
export function eventEvidence(event: FlowEvent, nowMs: number): Evidence {
  const { id, recordedAtMs } = event
  const age = recordedAtMs === null ? '' : `, ${agoText(recordedAtMs, nowMs)}`
  return evidence('event', `${id} at ${placeOf(event)}${age}`, event.topic)
}

/** At most so many names, then a number. */
export function listText(names: readonly string[], most = 3): string {
  const more = names.length - most
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${more} more` : names.join(', ')
}
