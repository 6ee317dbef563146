/**
 * kafkajs's log lines on our logger. kafkajs calls "error" what it retries by itself, and "info" every pause and resume, so each
 * line goes one level down, and single answers of a connection two: an error line of ours means that somebody must act.
 */
import type { logCreator } from 'kafkajs'
import type { Logger } from '../../ports/logger.ts'
import { logLevel } from './kafkajs-internals.ts'

/** A kafkajs log creator that writes to `logger`. */
export function bridgeLogger(logger: Logger): logCreator {
  return () =>
    ({ namespace, level, log }) => {
      const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = log
      const line = `kafkajs ${namespace}: ${message}`
      if (namespace === 'Connection') logger.debug(line, fields)
      else if (level <= logLevel.ERROR) logger.warn(line, fields)
      else if (level <= logLevel.WARN) logger.info(line, fields)
      else logger.debug(line, fields)
    }
}
