import type { Told } from './conversation.js'

/** One thing that an exporter of GraphQL's telemetry does, in OpenTelemetry's conventions, its draft for GraphQL, or ours. */
export interface Rule {
  readonly id: string
  readonly level: 'MUST' | 'SHOULD' | 'MAY'
  readonly text: string
  /** Fails by `expect`. */
  readonly check: (told: Told) => void
}

/** The rules of a subject, each `[level, text, check]`, numbered in their order. */
export function rulesOf(
  subject: string,
  rules: readonly (readonly [Rule['level'], string, Rule['check']])[],
): readonly Rule[] {
  return rules.map(([level, text, check], index) => ({ id: `${subject}-${index + 1}`, level, text, check }))
}
