/**
 * A wire to a server that a test can cut, in two ways: refused, where connecting fails as if nothing listened there; or hushed, where
 * connections stay open, new ones are taken, and no byte passes, as on a network that drops packets.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Sees what passes over one connection. */
export interface WireWatch {
  sent(bytes: Buffer): void
  /** False: the connection is cut instead of passing these bytes of an answer. */
  mayAnswer(bytes: Buffer): boolean
}

interface Pump {
  readonly from: Socket
  readonly to: Socket
}

/** A proxy in front of one server, on one port for its whole life. */
export class TcpProxy {
  readonly port: number
  readonly #target: URL
  readonly #watch: (() => WireWatch) | undefined
  readonly #sockets = new Set<Socket>()
  readonly #pumps = new Set<Pump>()
  #server: Server | undefined
  #isHushed = false

  private constructor(target: URL, port: number, watch: (() => WireWatch) | undefined) {
    this.#target = target
    this.port = port
    this.#watch = watch
  }

  /** Starts one in front of the server of a URL; `watch` is asked for every connection. */
  static async start(url: string, watch?: () => WireWatch): Promise<TcpProxy> {
    const reserved = await listen(createServer(), 0)
    const { port } = reserved.address() as AddressInfo
    await new Promise((resolve) => reserved.close(resolve))
    const proxy = new TcpProxy(new URL(url), port, watch)
    await proxy.accept()
    return proxy
  }

  /** The URL of the server, through this proxy. */
  get url(): string {
    const url = new URL(this.#target)
    url.host = `127.0.0.1:${this.port}`
    return url.href
  }

  /** Ends both kinds of cut; what was held back passes now. */
  async accept(): Promise<void> {
    this.#isHushed = false
    for (const { from } of this.#pumps) from.resume()
    this.#server ??= await listen(
      createServer((client) => this.#join(client)),
      this.port,
    )
  }

  /** Lets nothing pass and closes nothing. */
  hush(): void {
    this.#isHushed = true
    for (const { from } of this.#pumps) from.pause()
  }

  /** Cuts every connection and takes no new one. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }

  #join(client: Socket): void {
    const server = connect({ host: this.#target.hostname, port: Number(this.#target.port) })
    const watch = this.#watch?.()
    const end = (): void => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        end()
      })
    }
    this.#pump({ from: client, to: server }, (bytes) => watch?.sent(bytes))
    this.#pump({ from: server, to: client }, (bytes) => watch?.mayAnswer(bytes) === false && end())
  }

  #pump(pump: Pump, see: (bytes: Buffer) => unknown): void {
    const { from, to } = pump
    this.#pumps.add(pump)
    from.on('close', () => this.#pumps.delete(pump))
    from.on('data', (bytes: Buffer) => {
      see(bytes)
      if (!to.destroyed && !to.write(bytes)) from.pause()
    })
    from.on('end', () => to.end())
    to.on('drain', () => {
      if (!this.#isHushed) from.resume()
    })
    if (this.#isHushed) from.pause()
  }
}

function listen(server: Server, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
