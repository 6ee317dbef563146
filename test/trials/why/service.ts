/** The service in the outside world that handlers of the trial ask; it can be made slow, broken or silent from outside. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** `fine` answers at once, `broken` with 500, `silent` holds every call until it is fine again. */
export type ServiceMode = 'fine' | 'broken' | 'silent'

/** A running service; every path has a mode of its own. */
export class OutsideService {
  readonly url: string
  readonly #modes = new Map<string, ServiceMode>()
  readonly #held = new Map<string, ServerResponse[]>()
  readonly #close: () => Promise<void>

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url
    this.#close = close
  }

  static async start(): Promise<OutsideService> {
    const server = createServer((request, response) => service.#answer(request.url?.slice(1) ?? '', response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    const service = new OutsideService(`http://127.0.0.1:${port}`, close)
    return service
  }

  /** How many calls of a path are held. */
  held(path: string): number {
    return this.#held.get(path)?.length ?? 0
  }

  set(path: string, mode: ServiceMode): void {
    this.#modes.set(path, mode)
    if (mode === 'silent') return
    const held = this.#held.get(path) ?? []
    this.#held.delete(path)
    for (const response of held) this.#answer(path, response)
  }

  close(): Promise<void> {
    return this.#close()
  }

  #answer(path: string, response: ServerResponse): void {
    const mode = this.#modes.get(path) ?? 'fine'
    if (mode === 'silent') {
      const held = this.#held.get(path) ?? []
      this.#held.set(path, [...held, response])
    } else response.writeHead(mode === 'fine' ? 200 : 500).end()
  }
}
