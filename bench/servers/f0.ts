import { connect, serveFloor } from './floor.js'

/**
 * JSON is put together as text: json_build_object, row_to_json and json_agg, which learn the types of their arguments
 * anew for every object, cost PostgreSQL 30 to 60 % more on S2 and S3 (tried).
 */
const object = (fields: Record<string, string>) =>
  `'{${Object.entries(fields)
    .map(([name, value]) => `"${name}":' || ${value} || '`)
    .join(',')}}'`
/** Of what needs no escaping. */
const plain = (column: string) => `'"' || ${column} || '"'`
const text = (column: string) => `to_json(${column})`
const list = (item: string, from: string) =>
  `(select '[' || coalesce(string_agg(${item}, ','), '') || ']' from ${from})`
const edges = (fields: Record<string, string>, from: string) => list(object({ node: object(fields) }), from)

const page = (columns: string, limit: number | string, where = '') => `(select ${columns} from posts
  where status = 'PUBLISHED' ${where} order by coalesce(published_at, 'infinity') desc, id desc limit ${limit})`
const after = (first: number) =>
  `and (coalesce(published_at, 'infinity'), id) < ($${first}::timestamptz, $${first + 1}::uuid)`
const nameOf = (id: string) => `(select to_json(name) from users where id = ${id})`
const author = object({ id: plain('author_id'), name: nameOf('author_id') })

const named = { id: plain('id'), title: text('title') }
const dated = { ...named, publishedAt: plain('published_at') }
const tags = list(
  object({ name: text('name') }),
  `(select tags.name from post_tags join tags on tags.id = tag_id where post_id = p.id order by tags.name) t`,
)
const comments = (fields: Record<string, string>, limit: number | string) =>
  object({
    edges: edges(
      fields,
      `(select * from comments where post_id = p.id order by created_at desc, id desc limit ${limit}) c`,
    ),
  })
const comment = { body: text('body'), author: object({ name: nameOf('c.author_id') }) }
const feed = (posts: string, limit: number | string) => {
  const byName = object({ name: nameOf('p.author_id') })
  return `select ${edges({ ...named, author: byName, tags, comments: comments(comment, limit) }, `${posts} p`)}`
}

/** A page with its page info; `from` has one row more than the page where there is a next one. */
const pageOf = (size: number, edge: string, from: string) =>
  `select ${object({
    edges: `'[' || coalesce(string_agg(${edge}, ',') filter (where place <= ${size}), '') || ']'`,
    pageInfo: object({
      hasNextPage: `(count(*) > ${size})`,
      endCursor: `coalesce('"' || max(published_at || '~' || id) filter (where place = ${size}) || '"', 'null')`,
    }),
  })} from (select *, row_number() over () as place from ${from} p) p`

const statements = {
  S1: `select ${object({ ...dated, body: text('body'), status: plain('status'), createdAt: plain('created_at') })}
    from posts where id = $1 and status = 'PUBLISHED'`,
  S2: pageOf(50, object({ node: object({ ...dated, author }) }), page('id, title, published_at, author_id', 51)),
  S3: feed(page('id, title, author_id', 20), 5),
  S4: pageOf(
    20,
    object({ cursor: plain(`published_at || '~' || id`), node: object(dated) }),
    page('id, title, published_at', 21, after(1)),
  ),
  S5: `select ${edges(
    {
      id: plain('id'),
      name: text('name'),
      sku: text('sku'),
      price: plain('price'),
      currency: plain('currency'),
      stock: 'stock',
      soldCount: 'sold_count',
      weight: `coalesce('"' || weight || '"', 'null')`,
      active: 'active',
      createdAt: plain('created_at'),
    },
    '(select * from products where active order by created_at desc, id desc limit 100) p',
  )}`,
  S6: `select ${edges(
    {
      id: plain('o.id'),
      status: plain('o.status'),
      total: plain('o.total'),
      createdAt: plain('o.created_at'),
      items: list(
        object({
          quantity: 'quantity',
          unitPrice: plain('unit_price'),
          product: object({
            id: plain('product_id'),
            name: '(select to_json(name) from products where id = product_id)',
          }),
        }),
        '(select * from order_items where user_id = o.user_id and order_id = o.id order by position) i',
      ),
    },
    '(select * from orders where user_id = $1 order by created_at desc, id desc limit 20) o',
  )}`,
  S7: feed(page('id, title, author_id', '$1', after(2)), '$4'),
  S8: `select ${edges(
    { ...dated, author, tags, comments: comments({ ...comment, createdAt: plain('c.created_at') }, 2) },
    `${page('id, title, published_at, author_id', 5)} p`,
  )}`,
}

const run = await connect()
const read = async (name: keyof typeof statements, values: unknown[] = []) =>
  (await run<[string]>(name, statements[name], values))[0]?.[0] ?? 'null'
const posts = (edges: string) => `{"data":{"posts":{"edges":${edges}}}}`

serveFloor({
  S1: async ([id]) => `{"data":{"post":${await read('S1', [id])}}}`,
  S2: async () => `{"data":{"posts":${await read('S2')}}}`,
  S3: async () => posts(await read('S3')),
  S4: async ([publishedAt = '', id]) => `{"data":{"posts":${await read('S4', [decodeURIComponent(publishedAt), id])}}}`,
  S5: async () => `{"data":{"products":{"edges":${await read('S5')}}}}`,
  S6: async ([id], user) => {
    if (user !== id) throw new Error('not the bearer of the token')
    return `{"data":{"user":{"orders":{"edges":${await read('S6', [id])}}}}}`
  },
  S7: async ([first, publishedAt = '', id, limit]) =>
    posts(await read('S7', [first, decodeURIComponent(publishedAt), id, limit])),
  S8: async () => posts(await read('S8')),
})
