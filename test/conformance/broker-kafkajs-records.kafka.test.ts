/** What touches records, once more with kafkajs's own encoder and decoder: switching ours off must change nothing but the speed. */
import { describeDelivery } from './broker-delivery.suite.ts'
import { kafkaUnderTest } from './broker-kafka.ts'
import { describeLog } from './broker-log.suite.ts'
import { describeBroker } from './broker.suite.ts'

describeBroker('Kafka, records by kafkajs', () => kafkaUnderTest('kafkajs'), [describeLog, describeDelivery])
