import { connect, serveFloor } from './floor.js'

const page = (columns: string, limit: number | string, where = '') => `select ${columns} from posts
  where status = 'PUBLISHED' ${where} order by coalesce(published_at, 'infinity') desc, id desc limit ${limit}`
const after = (first: number) =>
  `and (coalesce(published_at, 'infinity'), id) < ($${first}::timestamptz, $${first + 1}::uuid)`
/** Looked up one by one: a plan for any number of rows would join all users. */
const name = (user: string) => `(select name from users where id = ${user})`
const comments = (more = '') => `select post.id, c.body, ${name('c.author_id')} ${more}
  from unnest($1::uuid[]) as post(id) cross join lateral (
    select body, author_id, created_at from comments where post_id = post.id order by created_at desc, id desc limit $2
  ) c`

const statements = {
  post: `select title, body, status, published_at, created_at from posts where id = $1 and status = 'PUBLISHED'`,
  latest: page(`id, title, published_at, author_id, ${name('author_id')}`, 51),
  feed: page(`id, title, ${name('author_id')}`, 20),
  feedAfter: page(`id, title, ${name('author_id')}`, '$1', after(2)),
  short: page(`id, title, ${name('author_id')}, published_at, author_id`, 5),
  deep: page('id, title, published_at', 21, after(1)),
  tags: 'select g.post_id, t.name from post_tags g join tags t on t.id = g.tag_id where g.post_id = any($1) order by t.name',
  comments: comments(),
  dated: comments(', c.created_at'),
  products: `select id, name, sku, price, currency, stock, sold_count, weight, active, created_at
    from products where active order by created_at desc, id desc limit 100`,
  orders:
    'select id, status, total, created_at from orders where user_id = $1 order by created_at desc, id desc limit 20',
  items: `select i.order_id, i.quantity, i.unit_price, p.id, p.name
    from order_items i join products p on p.id = i.product_id
    where i.user_id = $1 and i.order_id = any($2) order by i.position`,
}

/** A row as PostgreSQL's texts of its columns, in the statement's order. */
type Row = string[]

const run = await connect()
const read = (name: keyof typeof statements, values: unknown[] = []) => run<Row>(name, statements[name], values)
const text = (value: string | undefined) => JSON.stringify(value)

serveFloor({
  async S1([id]) {
    const [row] = await read('post', [id])
    if (!row) return '{"data":{"post":null}}'
    const [title, body, status, publishedAt, createdAt] = row
    return `{"data":{"post":{"id":"${id}","title":${text(title)},"body":${text(body)},"status":"${status}","publishedAt":"${publishedAt}","createdAt":"${createdAt}"}}}`
  },
  async S2() {
    const rows = await read('latest')
    const edges = list(
      rows.slice(0, 50),
      ([id, title, publishedAt, author, name]) =>
        `{"node":{"id":"${id}","title":${text(title)},"publishedAt":"${publishedAt}","author":{"id":"${author}","name":${text(name)}}}}`,
    )
    return postPage(edges, rows, 50)
  },
  S3: async () => feed(await read('feed'), 5),
  async S4([publishedAt = '', id]) {
    const rows = await read('deep', [decodeURIComponent(publishedAt), id])
    const edges = list(
      rows.slice(0, 20),
      ([id, title, publishedAt]) =>
        `{"cursor":"${publishedAt}~${id}","node":{"id":"${id}","title":${text(title)},"publishedAt":"${publishedAt}"}}`,
    )
    return postPage(edges, rows, 20)
  },
  async S5() {
    const edges = list(
      await read('products'),
      ([id, name, sku, price, currency, stock, soldCount, weight, active, createdAt]) =>
        `{"node":{"id":"${id}","name":${text(name)},"sku":${text(sku)},"price":"${price}","currency":"${currency}","stock":${stock},"soldCount":${soldCount},"weight":${weight},"active":${active === 't'},"createdAt":"${createdAt}"}}`,
    )
    return `{"data":{"products":{"edges":${edges}}}}`
  },
  async S6([userId], user) {
    if (user !== userId) throw new Error('not the bearer of the token')
    const rows = await read('orders', [userId])
    const items = groups(await read('items', [userId, rows.map(([id]) => id)]), itemText)
    const edges = list(
      rows,
      ([id = '', status, total, createdAt]) =>
        `{"node":{"id":"${id}","status":"${status}","total":"${total}","createdAt":"${createdAt}","items":[${items.get(id) ?? ''}]}}`,
    )
    return `{"data":{"user":{"orders":{"edges":${edges}}}}}`
  },
  S7: async ([first, publishedAt = '', id, limit]) =>
    feed(await read('feedAfter', [first, decodeURIComponent(publishedAt), id]), limit),
  async S8() {
    const rows = await read('short')
    const ids = rows.map(([id]) => id)
    const [tags, comments] = await Promise.all([read('tags', [ids]), read('dated', [ids, 2])])
    return feedText(
      rows,
      groups(tags, tagText),
      groups(comments, datedText),
      ([, , , publishedAt, author]) => `,"publishedAt":"${publishedAt}","author":{"id":"${author}",`,
    )
  },
})

async function feed(rows: readonly Row[], limit: number | string | undefined): Promise<string> {
  const ids = rows.map(([id]) => id)
  const [tags, comments] = await Promise.all([read('tags', [ids]), read('comments', [ids, limit])])
  return feedText(rows, groups(tags, tagText), groups(comments, commentText), () => ',"author":{')
}

function feedText(
  rows: readonly Row[],
  tags: ReadonlyMap<string, string>,
  comments: ReadonlyMap<string, string>,
  more: (row: Row) => string,
): string {
  const edges = list(rows, (row) => {
    const [id = '', title, name] = row
    return `{"node":{"id":"${id}","title":${text(title)}${more(row)}"name":${text(name)}},"tags":[${tags.get(id) ?? ''}],"comments":{"edges":[${comments.get(id) ?? ''}]}}}`
  })
  return `{"data":{"posts":{"edges":${edges}}}}`
}

const tagText = ([, name]: Row) => `{"name":${text(name)}}`
const commentText = ([, body, name]: Row) => `{"node":{"body":${text(body)},"author":{"name":${text(name)}}}}`
const datedText = ([, body, name, createdAt]: Row) =>
  `{"node":{"body":${text(body)},"author":{"name":${text(name)}},"createdAt":"${createdAt}"}}`
const itemText = ([, quantity, unitPrice, id, name]: Row) =>
  `{"quantity":${quantity},"unitPrice":"${unitPrice}","product":{"id":"${id}","name":${text(name)}}}`

/** Every row as text, by what its first column says, with commas. */
function groups(rows: readonly Row[], write: (row: Row) => string): Map<string, string> {
  const texts = new Map<string, string>()
  for (const row of rows) {
    const [key = ''] = row
    const before = texts.get(key)
    texts.set(key, before === undefined ? write(row) : `${before},${write(row)}`)
  }
  return texts
}

function list(rows: readonly Row[], write: (row: Row) => string): string {
  let result = ''
  for (const row of rows) result += result ? `,${write(row)}` : write(row)
  return `[${result}]`
}

function postPage(edges: string, rows: readonly Row[], size: number): string {
  const [id, , publishedAt] = rows[Math.min(rows.length, size) - 1] ?? []
  const endCursor = id ? `"${publishedAt}~${id}"` : 'null'
  return `{"data":{"posts":{"edges":${edges},"pageInfo":{"hasNextPage":${rows.length > size},"endCursor":${endCursor}}}}}`
}
