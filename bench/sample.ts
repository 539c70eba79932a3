import { SignJWT } from 'jose'
import { query } from './data.js'
import type { Place, Sample } from './shapes.js'

/** Draws the sample from a database: the same one from the same rows. */
export async function drawSample(url: string, secret: string): Promise<Sample> {
  const [postIds, deep, places, buyers] = await Promise.all([
    query<{ id: string }>(url, "select id from posts where status = 'PUBLISHED' order by md5(id::text) limit 5000"),
    query<Place>(url, `${newest} offset (${depth}) limit 1000`),
    query<Place>(url, `select * from (${newest}) as place order by md5(id::text) limit 2000`),
    query<{ userId: string }>(
      url,
      'select user_id as "userId" from orders group by user_id order by count(*) desc, user_id limit 200',
    ),
  ])
  return {
    postIds: postIds.map(({ id }) => id),
    deep,
    places,
    buyers: await Promise.all(buyers.map(async ({ userId }) => ({ userId, token: await sign(userId, secret) }))),
  }
}

/** The same with so many keys that none need come twice: all posts, and places in the list that share no post. */
export async function drawManyKeys(url: string, sample: Sample): Promise<Sample> {
  const [postIds, places] = await Promise.all([
    query<{ id: string }>(url, "select id from posts where status = 'PUBLISHED' order by md5(id::text)"),
    query<Place>(
      url,
      `select "publishedAt", id from (select *, row_number() over () as number from (${newest}) as place) as place
       where number % 20 = 0 order by md5(id::text)`,
    ),
  ])
  return { ...sample, postIds: postIds.map(({ id }) => id), places }
}

/** Signs every token anew: this project takes none older than a quarter of an hour, and a run is longer. */
export async function renewTokens({ buyers }: Sample, secret: string): Promise<void> {
  for (const buyer of buyers) buyer.token = await sign(buyer.userId, secret)
}

const newest = `select published_at as "publishedAt", id from posts where status = 'PUBLISHED' order by published_at desc, id desc`

/** Where the data is too small for 50,000, halfway. */
const depth = "select least(50000, count(*) / 2) from posts where status = 'PUBLISHED'"

function sign(userId: string, secret: string): Promise<string> {
  return new SignJWT({ role: 'USER' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setIssuedAt()
    .setExpirationTime('15m')
    .sign(new TextEncoder().encode(secret))
}
