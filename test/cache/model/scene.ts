import { setTimeout as sleep } from 'node:timers/promises'
import type { Order } from './books.js'
import type { Claim, Floor } from './history.js'
import type { Step } from './plan.js'
import type { Process } from './process.js'
import type { Universe, World } from './world.js'

type Doing<Kind extends Step['do']> = Extract<Step, { do: Kind }>

/** In ms, beside the promise: what timers and a round trip or two take on a machine that is not busy. */
const allowance = 80

const documents = {
  book: (of: string) => `query Book($id: ID!) { book(id: $id) { id value shelfId ${of} } }`,
  list: (of: string) => `query List($id: ID!) { shelf(id: $id) { ${of} books { id value ${of} } } }`,
  page: (of: string) =>
    `query Page($id: ID!) { shelf(id: $id) { ${of} page(first: 20) { nodes { id value ${of} } } } }`,
  scanned: (of: string) => `query Scanned($id: ID!) { shelf(id: $id) { ${of} scanned } }`,
  computed: (of: string) => `query Computed($id: ID!) { shelf(id: $id) { ${of} computed } }`,
  mixed: (of: string) =>
    `query Mixed($id: ID!) { shelf(id: $id) { books { id value } ${of} scanned page(first: 20) { totalCount { count } nodes { id value } } computed } }`,
}

/** What is done in a world by a plan, and what of it breaks a promise. */
export class Scene {
  readonly wrongs: string[] = []
  /** What happened, in order, for whoever looks for a reason. */
  readonly log: string[] = []
  stalest = 0
  /** Of each read and write: when it was asked, how long it took, and how stale it was; in ms. */
  readonly timings: { readonly at: number; readonly took: number; stale: number }[] = []
  reads = 0
  writes = 0
  private readonly began = performance.now()
  private readonly turns = new Map<string, Promise<void>>()
  /** Answers are judged once it is known what was committed meanwhile. */
  private readonly judgements: (() => void)[] = []

  constructor(
    private readonly world: World,
    private readonly id: string,
    private nextValue: () => number,
  ) {}

  async play(steps: readonly Step[]): Promise<void> {
    const doing: Promise<void>[] = []
    for (const [index, step] of steps.entries()) {
      const left = this.began + step.at - performance.now()
      if (left > 0) await sleep(left)
      doing.push(this.act(step, `${this.id}-${index}`).catch((error) => void this.wrongs.push(`${error.stack}`)))
    }
    await Promise.all(doing)
    for (const judge of this.judgements) judge()
  }

  private act(step: Step, id: string): Promise<void> {
    switch (step.do) {
      case 'read':
        return this.read(step, id)
      case 'write':
        return this.write(step, id)
      case 'evict':
        return this.evict(step)
      default:
        return this.trouble(step)
    }
  }

  private async read(step: Doing<'read'>, id: string): Promise<void> {
    const { world } = this
    const process = await world.processes[step.process]
    const universe = world.universes[step.universe]
    const client = universe?.clients[step.viewer]
    if (!process || !client || !universe) throw new Error('There is no such thing.')
    const began = performance.now()
    const subject = (step.kind === 'book' ? universe.books : universe.shelves)[step.subject] as string
    const floors = [{ why: 'what its process wrote', floor: floorOf(process, subject, universe) }]
    const token = step.token ? client.token : undefined
    const { wrote } = client
    if (token) floors.push({ why: 'its token', floor: world.history.floorAt(token.known) })
    const variables = { id: encode(step.kind === 'book' ? 'Book' : 'Shelf', subject) }
    // A document that nobody has sent yet, now and then: of others the server remembers for whom their answers are.
    const query = documents[step.kind](step.personal ? 'reader' : '') + (step.personal ? ` # ${this.id}` : '')
    const headers = { ...signed(client.authorization), ...(token && { 'x-consistency-token': token.text }) }
    const answered = await process.ask(id, { query, variables }, headers).catch((error) => error as Error)
    if (process.isDead || process.isEnding) return
    const ended = performance.now()
    this.reads++
    const timing = { at: began - this.began, took: ended - began, stale: 0 }
    this.timings.push(timing)
    const told = `${at(began - this.began)}..${at(ended - this.began)} ${step.process} ${client.id.slice(-1)} ${step.kind}${step.personal ? '*' : ''}${token ? '+' : ''} ${subject.slice(-8)}`
    if (answered instanceof Error || answered.status !== 200 || answered.body.errors) {
      this.wrongs.push(
        `${told}: an error: ${answered instanceof Error ? answered.stack : JSON.stringify(answered.body)}`,
      )
      return
    }
    const { data } = answered.body
    this.log.push(`${told}: ${JSON.stringify(data).replaceAll(/0190000\d-0000-7000-8000-/g, '')}`)
    if (wrote && client.authorization && world.calmSince < wrote.began)
      floors.push({ why: 'what its viewer wrote', floor: world.history.floorAt(wrote.known) })
    const claims = claimsOf(data, subject, universe)
    const allowed = (since: number, until: number) => world.coherence + allowance + world.patience(since, until)
    this.judgements.push(() => {
      const { stalest, wrongs } = world.history.judge({ began, ended, claims, floors }, allowed)
      this.stalest = Math.max(this.stalest, stalest)
      timing.stale = stalest
      for (const wrong of wrongs) this.wrongs.push(`${told}: ${wrong}`)
    })
    if (step.personal && !isFor(client.id, data))
      this.wrongs.push(`${told}: (c) for somebody else: ${JSON.stringify(data)}`)
  }

  /** One write of a book at a time: the order of commits is known then. */
  private write(step: Doing<'write'>, id: string): Promise<void> {
    const book = this.world.universes[step.universe]?.books[step.book] as string
    const turn = (this.turns.get(book) ?? Promise.resolve()).then(() => this.change(step, book, id))
    this.turns.set(
      book,
      turn.catch(() => {}),
    )
    return turn
  }

  private async change(step: Doing<'write'>, book: string, id: string): Promise<void> {
    const { world } = this
    const process = await world.processes[step.process]
    const universe = world.universes[step.universe]
    const client = universe?.clients[step.viewer]
    if (!process || !client || !universe || process.isEnding) return
    const from = world.history.last(book)?.shelf ?? null
    const to = step.to === null ? null : (universe.shelves[step.to] as string)
    if (from === null && to === null) return
    const value = this.nextValue()
    const order: Order = { how: step.how, id: book, from, to, value, isRefused: step.refused }
    const variables = { order: JSON.stringify(order) }
    const began = performance.now()
    world.owners.set(id, process)
    const query = 'mutation Change($order: String!) { change(order: $order) }'
    const answered = await process.ask(id, { query, variables }, signed(client.authorization)).catch(() => undefined)
    const ended = performance.now()
    const known = world.commits.get(id)
    world.owners.delete(id)
    world.commits.delete(id)
    this.writes++
    this.timings.push({ at: began - this.began, took: ended - began, stale: 0 })
    // With Redis away a write must succeed too, where it is not meant to fail.
    const isWell = process.isDead || process.isEnding || answered?.body.data?.change === !step.refused
    if (!isWell && !step.refused) this.wrongs.push(`${id}: an error: ${JSON.stringify(answered?.body)}`)
    const state = to === null ? null : { shelf: to, value }
    const isDone = !process.isDead && answered?.body.data?.change === true
    this.log.push(
      `${at(began - this.began)}..${at(ended - this.began)} ${step.process} ${client.id.slice(-1)} ${step.how} ${book.slice(-8)} ${value} to ${to?.slice(-8)}: ${isDone ? 'done' : known === undefined ? 'not' : 'untold'}`,
    )
    if (!isDone && known === undefined) {
      if (process.isDead) await Promise.all(world.endings)
      const { rows } = await world.database.query('select value, shelf_id from books where id = $1', [book])
      const isThere = to === null ? rows.length === 0 : rows[0]?.value === value
      if (!isThere) return
    }
    const index = world.history.add(book, { state, began, known: known ?? performance.now() })
    if (!isDone || !answered) return
    if (step.refused) this.wrongs.push(`${id}: what was to be rolled back was not`)
    for (const subject of [book, from, to]) if (subject) floorsOf(process).set(placeOf(book, subject), index)
    const at_ = known ?? ended
    client.wrote = { began, known: at_ }
    if (answered.token) client.token = { text: answered.token, known: at_ }
  }

  private async evict({ what, draw }: Doing<'evict'>): Promise<void> {
    const { keys } = this.world
    this.log.push(`${at(performance.now() - this.began)} evict ${what}`)
    if (what === 'all') {
      // With the note of who wrote what.
      this.world.disturb()
      await keys.flushall()
      return
    }
    const all = (await keys.keys(what === 'any' ? 'plumbline:*' : 'plumbline:tag:*')).filter(
      (key) => !key.startsWith('plumbline:wrote:'),
    )
    const key = all.sort()[draw % Math.max(1, all.length)]
    if (key) await keys.del(key)
  }

  private async trouble(step: Exclude<Step, Doing<'read' | 'write' | 'evict'>>): Promise<void> {
    const { world } = this
    this.log.push(`${at(performance.now() - this.began)} ${JSON.stringify(step)}`)
    if (step.do === 'slow') return this.slow(step)
    world.disturb()
    if (step.do === 'pause') {
      world.redis.pause()
      await sleep(step.lasts)
      world.redis.resume()
      return world.disturb()
    }
    const process = await world.processes[step.process]
    if (!process) return
    if (step.do === 'lose') return process.redis.lose(step.count)
    if (step.do === 'kill') {
      process.onCommit = () => {
        this.log.push(`${at(performance.now() - this.began)} killed ${step.process}`)
        world.disturb()
        world.replace(step.process, process, process.kill())
      }
      return
    }
    if (step.do === 'restart') {
      if (process.isDead || process.isEnding) return
      const ending = process.close()
      world.processes[step.process] = ending.then(() => world.start())
      await world.processes[step.process]
      return world.disturb()
    }
    await this.hinder(process, step)
    world.disturb()
  }

  private async slow({ process: index, delay, lasts }: Doing<'slow'>): Promise<void> {
    const slowness = { since: performance.now(), until: Number.POSITIVE_INFINITY, delay }
    this.world.slownesses.push(slowness)
    const process = await this.world.processes[index]
    const end = process?.database.hold({ which: 'all', way: 'down', delay })
    await sleep(lasts)
    end?.()
    slowness.until = performance.now()
  }

  private async hinder(
    process: Process,
    step: Exclude<Step, Doing<'read' | 'write' | 'evict' | 'lose' | 'pause' | 'slow' | 'kill' | 'restart'>>,
  ): Promise<void> {
    const end =
      step.do === 'cut'
        ? process.redis.cut(step.which)
        : process.redis.hold({ which: step.which, way: step.way, delay: step.delay ?? Number.POSITIVE_INFINITY })
    await sleep(step.lasts)
    end()
  }
}

const processFloors = new WeakMap<Process, Map<string, number>>()

function floorsOf(process: Process): Map<string, number> {
  const floors = processFloors.get(process) ?? new Map<string, number>()
  processFloors.set(process, floors)
  return floors
}

/** As it is now: what is written meanwhile may be seen, or not. */
function floorOf(process: Process, subject: string, { books }: Universe): Floor {
  const floors = floorsOf(process)
  const now = new Map(books.map((book) => [book, floors.get(placeOf(book, subject)) ?? 0]))
  return (row) => now.get(row) ?? 0
}

/** A book as itself, or as it stands on a shelf: where another process moved it from it may stand for a while. */
function placeOf(book: string, subject: string): string {
  return `${book} on ${subject}`
}

// biome-ignore lint/suspicious/noExplicitAny: an answer has the shape of its operation
function claimsOf({ book, shelf }: any, subject: string, { books }: Universe): Claim[] {
  if (!shelf) {
    const state = book && { shelf: book.shelfId, value: book.value }
    return [{ row: subject, state }]
  }
  const lists: { id: string; value: number }[][] = []
  for (const rows of [shelf.books, shelf.page?.nodes])
    if (rows) lists.push(rows.map((row: { id: string; value: number }) => ({ ...row, id: decode(row.id) })))
  for (const text of [shelf.scanned, shelf.computed])
    if (typeof text === 'string') lists.push(text.split(',').filter(Boolean).map(parse))
  return lists.flatMap((list) =>
    books.map((row): Claim => {
      const found = list.find(({ id }) => id === row)
      return found ? { row, state: { shelf: subject, value: found.value } } : { row, notOn: subject }
    }),
  )
}

function parse(pair: string) {
  const [id = '', value] = pair.split('=')
  return { id, value: Number(value) }
}

function isFor(viewer: string, data: unknown): boolean {
  return [...JSON.stringify(data).matchAll(/"reader":"([^"]*)"/g)].every(([, reader]) => reader === viewer)
}

function encode(type: string, id: string): string {
  return Buffer.from(`${type}:${id}`).toString('base64url')
}

function decode(id: string): string {
  return Buffer.from(id, 'base64url').toString().split(':')[1] ?? ''
}

function signed(authorization: string | undefined): Record<string, string> {
  return authorization ? { authorization } : {}
}

function at(time: number): string {
  return time.toFixed(0)
}
