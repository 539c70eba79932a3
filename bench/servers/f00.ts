import { createServer } from 'node:http'

/** Answers `GET /<name>` with the bytes that were sent as `POST /<name>`: what HTTP alone costs. */
const bodies = new Map<string, Buffer>()

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    const body = bodies.get(request.url as string) as Buffer
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
    return
  }
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    bodies.set(request.url as string, Buffer.concat(parts))
    response.end('{}')
  })
})
server.keepAliveTimeout = 65_000
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'))
