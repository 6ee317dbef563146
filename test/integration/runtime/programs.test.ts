/** Programs of their own on the real servers: one runs agents from its main file, another publishes and waits for the answer. */
import { expect, it } from 'vitest'
import { createPublisher, startService, type ConfigInput } from '../../../runtime/index.ts'
import incomeVerification from '../../../services/credit/income-verification.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { runLaban } from '../../harness/run-laban.ts'
import { temporaryFolder } from '../../harness/temporary-folder.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { APPLICATION } from '../../unit/services/credit/application.ts'

it('publishes to Kafka and gets the answer of an agent that another program runs', async () => {
  const namespace = uniqueName('programs')
  const [brokers, registryUrl, redisUrl] = [
    await stackAddress('brokers'),
    await stackAddress('registryUrl'),
    await stackAddress('redisUrl'),
  ]
  const config: ConfigInput = {
    namespace,
    brokers: [...brokers],
    registry: { url: registryUrl },
    redis: { url: redisUrl },
    tracing: { enabled: false },
    log: { level: 'warn' },
    // Without a `laban dev` in it.
    stateDir: await temporaryFolder(),
  }
  const env = { LABAN_NAMESPACE: namespace, LABAN_BROKERS: brokers.join(','), LABAN_REGISTRY_URL: registryUrl }
  for (const args of [
    ['topics', 'apply', 'services/credit/income-verification.ts'],
    ['contracts', 'push'],
  ]) {
    const { code, stderr } = await runLaban(args, { env })
    expect(code, stderr).toBe(0)
  }

  const service = await startService({ agents: [incomeVerification], config })
  expect(service.health).toMatchObject({ state: 'running', isReady: true })
  const publisher = await createPublisher({ source: 'test.web', config })
  const { flowId, topic } = await publisher.publish('credit.application-received', APPLICATION, { id: 'A-1' })
  expect(topic).toBe('credit.application-received')
  await expect(publisher.waitFor(flowId, 'credit.income-verified', 30_000)).resolves.toMatchObject({
    applicationId: APPLICATION.applicationId,
  })
  await publisher.close()
  await service.stop()
  await expect(service.ended).resolves.toBeUndefined()
})
