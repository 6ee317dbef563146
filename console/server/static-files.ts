/** The page itself: files of the bundle, read once. Their names hold a hash of their content, so browsers keep them for ever; the page does not. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LabanError } from '../../runtime/internal.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const PAGE = '/index.html'
const ASSETS = '/assets/'
const KEPT_FOR_EVER = 'public, max-age=31536000, immutable'

interface StaticFile {
  readonly body: Buffer
  readonly type: string
  readonly tag: string
}

/** Serves the bundle in a folder, which is asked for with the first request; every other address that is not of the API is the page, which finds its way by itself. */
export function serveBundle(app: FastifyInstance, folder: () => Promise<string>): void {
  let bundle: Promise<ReadonlyMap<string, StaticFile>> | undefined
  const open = async (): Promise<ReadonlyMap<string, StaticFile>> => readBundle(await folder())
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?')[0] ?? '/'
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    if (path.startsWith('/api/') || !isReading) throw new LabanError('LABAN_CONSOLE_NOT_FOUND', { path })
    // One that could not be made is tried again by the next who asks.
    bundle ??= open().catch((error: unknown) => {
      bundle = undefined
      throw error
    })
    const files = await bundle
    // Names of topics and agents have dots, so an ending says nothing; only assets must be what they are called.
    const file = files.get(path) ?? (path.startsWith(ASSETS) ? undefined : files.get(PAGE))
    if (file === undefined) throw new LabanError('LABAN_CONSOLE_NOT_FOUND', { path })
    return send(request, reply, file)
  })
}

function send(request: FastifyRequest, reply: FastifyReply, { body, type, tag }: StaticFile): FastifyReply {
  const isAsset = request.url.startsWith(ASSETS)
  void reply.header('cache-control', isAsset ? KEPT_FOR_EVER : 'no-cache').header('etag', tag)
  if (request.headers['if-none-match'] === tag) return reply.code(304).send()
  return reply.code(200).type(type).send(body)
}

function readBundle(dir: string): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>()
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    const path = join(dir, name)
    const type = TYPES[extname(name)]
    if (type === undefined || !statSync(path).isFile()) continue
    const body = readFileSync(path)
    const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    files.set(`/${relative(dir, path).split(sep).join('/')}`, { body, type, tag })
  }
  return files
}
