/** How many keys are remembered; the longest not seen again go first. */
const remembered = 500

/** Answers true for a key that it was not asked for within the last so many milliseconds. */
export function createSeldom(rest: number): (key: string) => boolean {
  const last = new Map<string, number>()
  return (key) => {
    const now = Date.now()
    if (now - (last.get(key) ?? Number.NEGATIVE_INFINITY) < rest) return false
    last.delete(key)
    last.set(key, now)
    if (last.size > remembered) last.delete(last.keys().next().value as string)
    return true
  }
}
