import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createConfluentRegistry } from '../../contracts/registry-confluent.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { describeRegistry } from './registry.suite.ts'

const url = await stackAddress('registryUrl')
describeRegistry('Confluent API', () => createConfluentRegistry({ url, timeoutMs: 10_000 }))

describe('registry: Confluent API that is not well', () => {
  let server: Server | undefined
  afterEach(() => {
    server?.closeAllConnections()
    server?.close()
  })

  /** An address that answers every request like this; without a status it never answers. */
  async function answering(status?: number): Promise<string> {
    const listening = createServer((_request, response) => {
      if (status !== undefined)
        response.writeHead(status, { 'content-type': 'application/json' }).end('{"message":"no"}')
    })
    server = listening
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
  }

  async function expectUnavailable(address: string, code = 'LABAN_REGISTRY_UNAVAILABLE'): Promise<void> {
    const registry = createConfluentRegistry({ url: address, timeoutMs: 300 })
    const expected = { code, errorClass: 'retry' }
    await expect(registry.schemaById(7)).rejects.toMatchObject(expected)
    await expect(registry.lookup('a.b-value', '"string"')).rejects.toMatchObject(expected)
    await expect(registry.register('a.b-value', '"string"')).rejects.toMatchObject(expected)
    await expect(registry.versions('a.b-value')).rejects.toMatchObject(expected)
    await expect(registry.incompatibilities('a.b-value', '"string"')).rejects.toMatchObject(expected)
  }

  it('says that a registry which refuses connections is unavailable', async () => {
    await expectUnavailable('http://127.0.0.1:1')
  })

  it('does not wait for ever for a registry that hangs', async () => {
    await expectUnavailable(await answering())
  })

  it.each([401, 403])('takes HTTP %i for a login that a person must correct', async (status) => {
    await expectUnavailable(await answering(status), 'LABAN_REGISTRY_REFUSED')
  })

  it.each([429, 500, 503])('takes HTTP %i for the registry, not for the schema', async (status) => {
    await expectUnavailable(await answering(status))
  })

  it('sends credentials with every call', async () => {
    const seen: (string | undefined)[] = []
    const listening = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error_code":40403,"message":"none"}')
    })
    server = listening
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
    const registry = createConfluentRegistry({ url: address, auth: { username: 'u', password: 'p' } })
    expect(await registry.lookup('a.b-value', '"string"')).toBeUndefined()
    await expect(registry.schemaById(7)).rejects.toMatchObject({ code: 'LABAN_CONTRACT_UNKNOWN_SCHEMA' })
    expect(seen).toEqual([`Basic ${btoa('u:p')}`, `Basic ${btoa('u:p')}`])
  })
})
