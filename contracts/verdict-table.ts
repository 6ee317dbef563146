/**
 * Every answer that `laban why` can give: a closed list, like the table of errors. A code is never reused; what a verdict says in a
 * case at hand (its sentence and its evidence) is made where it is found, in `tracing/diagnose`.
 */

/**
 * What a verdict says of the work: it has `ended` well, it is `moving` (nothing is to be done), it `stands` (nothing goes on until
 * its cause is gone), or it is only worth a `notice`.
 */
export type Standing = 'ended' | 'moving' | 'stands' | 'notice'

/** One row. The order of the table is the order of weight: of several verdicts on a flow the first in the table is its verdict. */
export interface VerdictDefinition {
  readonly standing: Standing
  /** What is the case. */
  readonly meaning: string
  /** What ends it. */
  readonly resolution: string
}

export const VERDICTS = {
  'store-unavailable': {
    standing: 'stands',
    meaning: 'The claim store (Redis) does not answer. Handlers that run go on; nothing new begins.',
    resolution: 'Bring the store back; agents go on by themselves. What it forgot is read back from the log.',
  },
  'store-rebuilding': {
    standing: 'stands',
    meaning: 'The claim store has lost its memory, and what it knew is being read back from the log.',
    resolution: 'Wait: it ends by itself, usually within a few seconds of the next lease.',
  },
  'registry-unavailable': {
    standing: 'stands',
    meaning: 'The schema registry does not answer, and a schema is needed that nobody has loaded yet.',
    resolution: 'Bring the registry back; records that wait for a schema are never counted as bad.',
  },
  'broker-unreachable': {
    standing: 'stands',
    meaning: 'An instance is alive but cut off from the brokers.',
    resolution: 'Mend the network between that instance and Kafka; its partitions move to others meanwhile.',
  },
  'version-mismatch': {
    standing: 'stands',
    meaning: 'Something was written in a format that is newer than the one who reads it knows.',
    resolution: 'Bring all processes of the namespace to the newest version of laban.',
  },
  'event-lost': {
    standing: 'stands',
    meaning: 'A fact says that an event was published, but it is not on its topic and somebody still waits for it.',
    resolution: 'It was deleted or its retention was too short: publish it again from its cause.',
  },
  'no-live-consumer': {
    standing: 'stands',
    meaning: 'The agent has announced itself, but no instance of it is alive: stopped, killed, or silent.',
    resolution: 'Start the agent; it goes on where it was.',
  },
  'lease-expired': {
    standing: 'stands',
    meaning: 'The instance that holds the work no longer renews its lease; another one takes over when it has ended.',
    resolution: 'Wait for the takeover at the time named; see why the instance died.',
  },
  'not-ready': {
    standing: 'stands',
    meaning: 'An instance is alive but says itself that it does not consume, and why.',
    resolution: 'Remove what it names; it goes on by itself.',
  },
  'agent-failing': {
    standing: 'stands',
    meaning: 'Most records of the agent failed, so it has stopped itself instead of filling its dead letters.',
    resolution: 'Mend what makes it fail and restart it; by itself it tries one record after each pause.',
  },
  'publish-blocked': {
    standing: 'stands',
    meaning: 'The handler has succeeded, but the brokers refuse what it publishes.',
    resolution: 'Give the rights, topic or size that the refusal names; the recorded outputs are published then.',
  },
  'partition-paused': {
    standing: 'stands',
    meaning: 'A partition takes no new records, because one record holds its commits or too many are open.',
    resolution: 'See the record named: when it ends, the partition goes on.',
  },
  'group-empty': {
    standing: 'stands',
    meaning: 'Instances of the agent are alive, but its consumer group has no members.',
    resolution: 'See the log of the instance: it cannot join its group. Restart it if the log is silent.',
  },
  'group-rebalancing': {
    standing: 'stands',
    meaning: 'The consumer group of the agent is being divided anew; nobody reads until that ends.',
    resolution: 'Wait for some seconds. If it never ends, a member joins and is expelled again and again: see its log.',
  },
  'group-stuck': {
    standing: 'stands',
    meaning: 'The group has members and records to read, but its offsets do not move and nothing is under way.',
    resolution: 'See the log of the member; restart it if the log is silent.',
  },
  quarantined: {
    standing: 'stands',
    meaning: 'The event ended three processes that handled it, and was put among the dead letters before a fourth.',
    resolution: 'Mend what it does to the process, then redrive it.',
  },
  'rejected-by-contract': {
    standing: 'stands',
    meaning: 'A value does not fit the schema or a rule of its contract; it is among the dead letters.',
    resolution: 'Edit the event, or correct its producer or the rule and redrive it.',
  },
  undecodable: {
    standing: 'stands',
    meaning: 'The bytes of an event cannot be read, or name a schema that the registry does not know.',
    resolution: 'Correct the producer; edit or discard the dead letter.',
  },
  unpublishable: {
    standing: 'stands',
    meaning: 'The handler has succeeded, but its outputs were refused for so long that they are a dead letter now.',
    resolution: 'Remove the refusal and redrive: the recorded outputs are published, the handler does not run again.',
  },
  'dead-letter-expired': {
    standing: 'stands',
    meaning: 'The handling ended in a dead letter, which its topic has forgotten since.',
    resolution: 'Publish the event again under a new id if its work is still wanted.',
  },
  'dead-lettered': {
    standing: 'stands',
    meaning: 'The handler failed for good; the event is among the dead letters of its agent.',
    resolution: 'Mend the cause and redrive it, edit it, or discard it.',
  },
  'published-nothing': {
    standing: 'stands',
    meaning: 'A handling completed without an event that its agent promises to publish always.',
    resolution: 'Correct the agent or its `produces`, then publish its input again.',
  },
  'chose-otherwise': {
    standing: 'stands',
    meaning: 'A join waits for an event that the agent which could publish it has decided not to publish.',
    resolution: 'Let the agent publish it always, or let the join not wait for it.',
  },
  'no-producer': {
    standing: 'stands',
    meaning: 'Something waits for an event that no announced agent publishes.',
    resolution: 'Start the agent that publishes it, or publish it yourself.',
  },
  cycle: {
    standing: 'stands',
    meaning: 'An agent handles what descends from its own output, again and again within one flow.',
    resolution: 'Stop the agent and break the cycle between the topics named.',
  },
  'before-subscription': {
    standing: 'stands',
    meaning: 'The event is older than the first subscription to its topic, so nobody has been sent it.',
    resolution: 'Reset the agent to an earlier offset, or publish the event again.',
  },
  'no-subscriber': {
    standing: 'stands',
    meaning: 'No agent that has ever announced itself subscribes to the topic of this first event.',
    resolution: 'Start an agent that consumes the topic; check its name and the namespace.',
  },
  'unknown-id': {
    standing: 'stands',
    meaning: 'Nothing on the log carries this id or key.',
    resolution:
      'Check the id, the namespace and the brokers; retention may have removed it, or it still lies in an outbox whose relay does not run.',
  },
  late: {
    standing: 'stands',
    meaning: 'A subscriber has not reacted within the time that the contract of the topic expects.',
    resolution: 'See what it waits for below.',
  },
  slow: {
    standing: 'stands',
    meaning: 'A handler has been running for far longer than its agent usually takes.',
    resolution: 'See the step named: what it calls is slow. Its time-out ends it otherwise.',
  },
  'waiting-for-join': {
    standing: 'stands',
    meaning: 'A join has some of its members and waits for the others.',
    resolution: 'See why the missing ones are missing, below.',
  },
  'parked-behind': {
    standing: 'stands',
    meaning: 'An earlier event of the same key has failed, and order is kept: this one waits behind it.',
    resolution: 'Redrive, edit or discard the earlier one.',
  },
  retrying: {
    standing: 'moving',
    meaning: 'An attempt failed and the next one comes at the time named.',
    resolution: 'Nothing, or mend the error that it names before the attempts are exhausted.',
  },
  'behind-key': {
    standing: 'moving',
    meaning: 'An earlier event of the same key is still being handled; order is kept.',
    resolution: 'Nothing: it runs when the earlier one has ended.',
  },
  'awaiting-members': {
    standing: 'moving',
    meaning: 'A join has some of its members, and the others are under way.',
    resolution: 'Nothing: it runs when the last member comes.',
  },
  suspended: {
    standing: 'moving',
    meaning: 'The handler sleeps durably until the time named.',
    resolution: 'Nothing: any instance goes on with it then.',
  },
  running: {
    standing: 'moving',
    meaning: 'A handler is running in a live instance.',
    resolution: 'Nothing.',
  },
  settling: {
    standing: 'moving',
    meaning: 'The handling has ended; its fact is about to be written or read.',
    resolution: 'Nothing.',
  },
  queued: {
    standing: 'moving',
    meaning: 'The event waits its turn in the topic; its agent works and its offsets move.',
    resolution: 'Nothing, or more instances when the time named is too long.',
  },
  'unexpected-producer': {
    standing: 'notice',
    meaning: 'An event was published by an agent that does not announce its topic among its outputs.',
    resolution: 'Add the topic to `produces` of the agent, or see who writes there in its name.',
  },
  'id-conflict': {
    standing: 'notice',
    meaning: 'Two records carry one event id and differ; the first in the log counts for everyone.',
    resolution: 'Correct the producer: an id names one content.',
  },
  discarded: {
    standing: 'ended',
    meaning: 'The handling failed, and a person has given its dead letter up or replaced it.',
    resolution: 'Nothing.',
  },
  completed: {
    standing: 'ended',
    meaning: 'Every reaction has ended as it should.',
    resolution: 'Nothing.',
  },
} as const satisfies Record<string, VerdictDefinition>

/** The name of a verdict. */
export type VerdictCode = keyof typeof VERDICTS
