import { setFlagsFromString } from 'node:v8'

const major = Number(process.versions.node.split('.')[0])

if (major < 24) {
  console.error(
    `This needs Node 24 or newer and runs on ${process.versions.node}: use "npm start", which brings its own.`,
  )
  process.exit(1)
}

// V8 takes what outlives its first scavenges, when the young generation is still small, for long-lived, and makes it in
// the old one from then on, where it drags along what it refers to: a request's rows and places. None of it lives long.
setFlagsFromString('--no-allocation-site-pretenuring')

// Loaded only now: what they import does not even parse on an older Node.
const { telemetry } = await import('./telemetry.js')
const { serve } = await import('./tools/serve.js')
await serve({ embedded: process.argv.includes('--embedded'), worker: process.argv.includes('--worker'), telemetry })
