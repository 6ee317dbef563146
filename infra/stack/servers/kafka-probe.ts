/**
 * Asks a broker for its cluster's metadata: it answers only when it serves, and lists itself only once it has joined.
 * By hand rather than with kafkajs, so that the launcher starts at once and needs no client that warns on new Node versions.
 */
import { connect } from 'node:net'

/** Metadata request, version 1, for no topics: key, version, correlation id, null client id, empty array. */
const metadataRequest = Buffer.from('0003' + '0001' + '00000001' + 'ffff' + '00000000', 'hex')
const answerLimitMs = 5000

/** Number of brokers in the cluster; rejects when the broker does not answer. */
export function countBrokers(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: answerLimitMs }, () => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(metadataRequest.length)
      socket.write(Buffer.concat([size, metadataRequest]))
    })
    let answer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      // Size, correlation id, then the count of brokers: four bytes each.
      if (answer.length < 12) return
      socket.destroy()
      resolve(answer.readInt32BE(8))
    })
    socket.once('timeout', () => socket.destroy(new Error('Kafka does not answer')))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('Kafka closed the connection')))
  })
}
