/**
 * kafkajs's log lines on our logger, all of them as debug: kafkajs calls "error" what it repeats by itself, several times a second
 * while a broker is away, and "info" every pause and resume. What somebody should know is said once by the adapter, in its words.
 */
import type { logCreator } from 'kafkajs'
import type { Logger } from '../../ports/logger.ts'

/** A kafkajs log creator that writes to `logger`. */
export function bridgeLogger(logger: Logger): logCreator {
  return () =>
    ({ namespace, label, log }) => {
      const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = log
      logger.debug(`kafkajs ${namespace}: ${message}`, { ...fields, kafkajsLevel: label })
    }
}
