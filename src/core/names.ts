/**
 * @throws Error where two of a kind have one name: whoever asks by it would get either of them. `kind` says what they are,
 * in the plural.
 */
export function refuseNamesakes(kind: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw new Error(`Two ${kind} have the name "${twice}": give one of them another.`)
}
