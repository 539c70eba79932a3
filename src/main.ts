const major = Number(process.versions.node.split('.')[0])

if (major < 24) {
  console.error(
    `This needs Node 24 or newer and runs on ${process.versions.node}: use "npm start", which brings its own.`,
  )
  process.exit(1)
}

// Loaded only now: what it imports does not even parse on an older Node.
const { serve } = await import('./tools/serve.js')
await serve({ embedded: process.argv.includes('--embedded') })
