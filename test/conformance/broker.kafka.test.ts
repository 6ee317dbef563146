/** The broker suite on a real Kafka. */
import { kafkaUnderTest } from './broker-kafka.ts'
import { describeBroker } from './broker.suite.ts'

describeBroker('Kafka', () => kafkaUnderTest('fast'))
