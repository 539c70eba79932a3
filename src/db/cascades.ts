import { type EntityProperty, type MikroORM, ReferenceKind } from '@mikro-orm/postgresql'
import type { Change } from '../core/events.js'

/** What the database changes by itself because of a change; of which rows is not known. */
export type Cascades = (change: Change) => readonly Change[]

/** By what names a change tells a table's keys, each with the name it has in rows. */
type Names = ReadonlyMap<string, string>

interface Rule {
  readonly on: Change['kind']
  /** The key that is referred to, by its names in rows; undefined for a column that no change tells. */
  readonly key: readonly (string | undefined)[]
  readonly brings: Change
}

/** The rules of the entities' foreign keys: what goes with a deleted row, or follows one whose key becomes another. */
export function cascadesOf(orm: MikroORM, keys: ReadonlyMap<string, Names>): Cascades {
  const rules = new Map<string, Rule[]>()
  for (const { tableName, props } of orm.getMetadata())
    for (const property of props.filter(isForeignKey)) {
      const parent = property.targetMeta?.tableName as string
      const key = property.referencedColumnNames.map((column) => {
        const referred = property.targetMeta?.props.find(({ fieldNames }) => fieldNames?.includes(column))
        return keys.get(parent)?.get(referred?.name ?? column)
      })
      rules.set(parent, [...(rules.get(parent) ?? []), ...rulesOf(property, tableName, key)])
    }
  return (change) =>
    (rules.get(change.table) ?? [])
      .filter((rule) => applies(rule, change, keys.get(change.table)))
      .map(({ brings }) => brings)
}

function isForeignKey({ kind, owner, targetMeta, createForeignKeyConstraint }: EntityProperty): boolean {
  const refers = kind === ReferenceKind.MANY_TO_ONE || (kind === ReferenceKind.ONE_TO_ONE && owner)
  return refers && targetMeta !== undefined && createForeignKeyConstraint !== false
}

function rulesOf({ deleteRule, updateRule }: EntityProperty, table: string, key: Rule['key']): Rule[] {
  const rules: Rule[] = []
  const bring = (on: Rule['on'], kind: Change['kind']) => rules.push({ on, key, brings: { table, kind, rows: 1 } })
  if (deleteRule && changing.test(deleteRule)) bring('delete', /cascade/i.test(deleteRule) ? 'delete' : 'update')
  if (updateRule && changing.test(updateRule)) bring('update', 'update')
  return rules
}

/** The others refuse. */
const changing = /cascade|set null|set default/i

function applies({ on, key }: Rule, change: Change, names: Names | undefined): boolean {
  if (on !== change.kind || change.rows === 0) return false
  return on === 'delete' || mayMove(change, key, names)
}

/** Whether some row's key may have become another, as far as the change tells. */
function mayMove({ rows, keys = [] }: Change, key: Rule['key'], names: Names | undefined): boolean {
  const told = keys.map((row) => new Map(Object.entries(row).map(([name, value]) => [names?.get(name), value])))
  if (told.length === 0 || told.some((row) => !key.every((name) => name !== undefined && row.has(name)))) return true
  const different = new Set(told.map((row) => JSON.stringify(key.map((name) => String(row.get(name))))))
  return different.size > rows
}
