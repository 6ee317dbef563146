import { describe, expect, it } from 'vitest'
import { createPublisher, startService, type ConfigInput } from '../../../runtime/index.ts'
import {
  openDevPort,
  openEmbedded,
  createLogger,
  createService,
  loadConfig,
  writeDevFile,
} from '../../../runtime/internal.ts'
import incomeVerification from '../../../services/credit/income-verification.ts'
import { temporaryFolder } from '../../harness/temporary-folder.ts'
import { APPLICATION } from '../services/credit/application.ts'

const quiet: ConfigInput = { log: { level: 'error' }, brokers: [], tracing: { enabled: false } }

describe('startService', () => {
  it('runs agents in this process and publishes to them', async () => {
    const service = await startService({ agents: [incomeVerification], on: 'embedded', config: quiet })
    expect(service.health).toMatchObject({ state: 'running', isReady: true })
    const publisher = await service.createPublisher({ source: 'test.program' })
    const { flowId } = await publisher.publish('credit.application-received', APPLICATION)
    await expect(publisher.waitFor(flowId, 'credit.income-verified', 5_000)).resolves.toMatchObject({
      applicationId: APPLICATION.applicationId,
    })
    await Promise.all([service.stop(), service.stop()])
    await expect(service.ended).resolves.toBeUndefined()
    expect(service.health.state).toBe('stopped')
  })

  it('needs brokers unless it is embedded', async () => {
    await expect(startService({ agents: [incomeVerification], config: quiet })).rejects.toMatchObject({
      code: 'LABAN_CONFIG_INVALID',
      message: expect.stringContaining('brokers') as string,
    })
  })

  it('refuses a key that does not exist, naming the program as its origin', async () => {
    const config = { broker: [] } as unknown as ConfigInput
    await expect(startService({ agents: [], config })).rejects.toMatchObject({
      code: 'LABAN_CONFIG_UNKNOWN_KEY',
      message: expect.stringMatching(/broker from the program.*brokers/) as string,
    })
  })
})

describe('createPublisher', () => {
  it('finds a running `laban dev` by its folder', async () => {
    const stateDir = await temporaryFolder()
    const { config } = loadConfig({ overrides: { ...quiet, stateDir } })
    const dev = await openEmbedded({ config, log: createLogger(config.log) })
    const agents = await createService(dev, [incomeVerification], {
      onFatal: (error) => expect.unreachable(String(error)),
    })
    await agents.start()
    const port = await openDevPort(dev)
    await writeDevFile(stateDir, { url: port.url, token: port.token, pid: process.pid })
    const publisher = await createPublisher({ config: { ...quiet, stateDir } })
    const { flowId, eventId } = await publisher.publish('credit.application-received', APPLICATION, { id: 'A-1' })
    expect(flowId).toBe(eventId)
    await expect(publisher.waitFor(flowId, 'credit.income-verified', 5_000)).resolves.toBeDefined()
    await publisher.close()
    await agents.stop()
    await port.close()
    await dev.close()
  })

  it('says so when there is nothing to publish to', async () => {
    const stateDir = await temporaryFolder()
    await expect(createPublisher({ config: { ...quiet, stateDir } })).rejects.toMatchObject({
      code: 'LABAN_TARGET_MISSING',
    })
  })
})
