import type { Profiler } from 'node:inspector'

export interface PackageShare {
  readonly name: string
  /** Of the time in which anything ran, from 0 to 1: in its own functions, what they called left out. */
  readonly share: number
}

/** What share each package has in a CPU profile, the largest first. */
export function sharesByPackage(profile: Profiler.Profile): PackageShare[] {
  const names = nameNodes(profile)
  const times = new Map<string, number>()
  const deltas = profile.timeDeltas ?? []
  let all = 0
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const name = names.get(id)
    if (!name) continue
    // A delta is the time since the sample before: this sample's own is the next one's.
    const time = deltas[index + 1] ?? 0
    times.set(name, (times.get(name) ?? 0) + time)
    all += time
  }
  return [...times].map(([name, time]) => ({ name, share: time / all })).sort((a, b) => b.share - a.share)
}

/** What is built in, such as `Map.get`, belongs to whoever called it. */
function nameNodes({ nodes }: Profiler.Profile): Map<number, string | undefined> {
  const names = new Map<number, string | undefined>()
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  // Callers come before what they call.
  for (const { id, callFrame } of nodes) {
    const name = packageOf(callFrame)
    names.set(id, name === builtIn ? (names.get(callers.get(id) as number) ?? name) : name)
  }
  return names
}

const builtIn = 'V8'

function packageOf({ url, functionName }: Profiler.ProfileNode['callFrame']): string | undefined {
  if (functionName === '(idle)' || functionName === '(root)') return undefined
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(program)') return 'native code'
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? []
  if (name) return name
  if (url.startsWith('node:')) return 'node'
  const [, room] = /\/(?:dist|src)\/([^/]+)/.exec(url) ?? []
  if (room) return `this: ${room}`
  return url === '' ? builtIn : 'other'
}
