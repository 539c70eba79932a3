import type { Asked, Client } from '../client.js'
import type { ShapeName, Variables } from '../shapes.js'
import { names } from './f00.client.js'
import { plumbline } from './plumbline.client.js'

/** Hands the server one of F0's answers to each shape, and sends for it what this project is asked. */
export const f00f: Client = {
  async prepare(ask, floor) {
    for (const name of names) await ask({ path: `/bodies/${name}`, body: await floor(name) })
  },
  asks: Object.fromEntries(names.map((name) => [name, asksFor(name)])),
  normalise: (_shape, answer) => answer,
}

function asksFor<Name extends ShapeName>(name: Name): (variables: Variables[Name]) => Asked {
  const asks = plumbline.asks[name] as (variables: Variables[Name]) => Asked
  return (variables) => ({ ...asks(variables), path: `/${name}` })
}
