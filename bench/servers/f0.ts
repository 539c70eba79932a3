import { connect, serveFloor } from './floor.js'

const page = (posts: string, limit: string, where = '') =>
  `select ${posts} from posts p where p.status = 'PUBLISHED' ${where}
   order by coalesce(p.published_at, 'infinity') desc, p.id desc limit ${limit}`
const after = (first: number) =>
  `and (coalesce(p.published_at, 'infinity'), p.id) < ($${first}::timestamptz, $${first + 1}::uuid)`

const edges = (node: string, from: string) =>
  `select coalesce(json_agg(json_build_object('node', ${node})), '[]') from ${from}`

const author = (fields: string) => `(select row_to_json(u) from (select ${fields} from users where id = p.author_id) u)`
const tags = `(select coalesce(json_agg(row_to_json(t)), '[]') from (
  select t.name from post_tags pt join tags t on t.id = pt.tag_id where pt.post_id = p.id order by t.name) t)`
const comments = (fields: string, limit: string) =>
  `json_build_object('edges', (${edges(
    'row_to_json(c)',
    `(select ${fields}, (select row_to_json(u) from (select name from users where id = author_id) u) as author
    from comments where post_id = p.id order by created_at desc, id desc limit ${limit}) c`,
  )}))`

const feed = (first: string, limit: string, where = '') =>
  edges(
    'row_to_json(n)',
    `(select p.id, p.title, ${author('name')} as author, ${tags} as tags, ${comments('body', limit)} as comments
      from (${page('p.id, p.title, p.author_id', first, where)}) p) n`,
  )

const cursor = `n."publishedAt" || '~' || n.id`
/** A page with its page info: `rows` has one row more than the page where there is a next one. */
const pageOf = (size: number, rows: string, node: string, edge = '') =>
  `with n as materialized (select *, row_number() over () as place from (${rows}) r)
   select json_build_object(
     'edges', coalesce(json_agg(json_build_object(${edge} 'node', ${node})) filter (where place <= ${size}), '[]'),
     'pageInfo', json_build_object(
       'hasNextPage', count(*) > ${size},
       'endCursor', max(case when place = ${size} then ${cursor} end)))
   from n`

const statements = {
  S1: `select row_to_json(p) from (select id, title, body, status, published_at as "publishedAt", created_at as "createdAt"
       from posts where id = $1 and status = 'PUBLISHED') p`,
  S2: pageOf(
    50,
    `select p.id, p.title, p.published_at as "publishedAt", ${author('id, name')} as author
     from (${page('p.id, p.title, p.published_at, p.author_id', '51')}) p`,
    `json_build_object('id', n.id, 'title', n.title, 'publishedAt', n."publishedAt", 'author', n.author)`,
  ),
  S3: feed('20', '5'),
  S4: pageOf(
    20,
    page('p.id, p.title, p.published_at as "publishedAt"', '21', after(1)),
    `json_build_object('id', n.id, 'title', n.title, 'publishedAt', n."publishedAt")`,
    `'cursor', ${cursor},`,
  ),
  S5: edges(
    'row_to_json(n)',
    `(select id, name, sku, price, currency, stock, sold_count as "soldCount", weight, active, created_at as "createdAt"
      from products where active order by created_at desc, id desc limit 100) n`,
  ),
  S6: edges(
    'row_to_json(n)',
    `(select o.id, o.status, o.total, o.created_at as "createdAt", (
        select json_agg(row_to_json(i)) from (
          select i.quantity, i.unit_price as "unitPrice",
            (select row_to_json(p) from (select id, name from products where id = i.product_id) p) as product
          from order_items i where i.user_id = o.user_id and i.order_id = o.id order by i.position) i) as items
      from (select * from orders where user_id = $1 order by created_at desc, id desc limit 20) o) n`,
  ),
  S7: feed('$1', '$4', after(2)),
  S8: edges(
    'row_to_json(n)',
    `(select p.id, p.title, p.published_at as "publishedAt", ${author('id, name')} as author, ${tags} as tags,
        ${comments('body, created_at as "createdAt"', '2')} as comments
      from (${page('p.id, p.title, p.published_at, p.author_id', '5')}) p) n`,
  ),
}

const run = await connect()
const read = async (name: keyof typeof statements, values: unknown[] = []) =>
  (await run<[string | null]>(name, statements[name], values))[0]?.[0] ?? 'null'
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
