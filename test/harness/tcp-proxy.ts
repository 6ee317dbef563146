/** A wire to a server that a test can cut: while it refuses, connecting fails as if nothing listened there. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A proxy in front of one server, on one port for its whole life. */
export class TcpProxy {
  readonly port: number
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  private constructor(target: URL, server: Server) {
    this.#target = target
    this.port = (server.address() as AddressInfo).port
  }

  /** Starts one in front of the server of a URL. */
  static async start(url: string): Promise<TcpProxy> {
    const reserved = await listen(createServer(), 0)
    const proxy = new TcpProxy(new URL(url), reserved)
    await new Promise((resolve) => reserved.close(resolve))
    await proxy.accept()
    return proxy
  }

  /** The URL of the server, through this proxy. */
  get url(): string {
    const url = new URL(this.#target)
    url.host = `127.0.0.1:${this.port}`
    return url.href
  }

  async accept(): Promise<void> {
    this.#server = await listen(
      createServer((client) => this.#join(client)),
      this.port,
    )
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
    client.pipe(server).pipe(client)
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
  }
}

function listen(server: Server, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
