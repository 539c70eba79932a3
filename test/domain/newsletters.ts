import { v7 } from 'uuid'
import { expect } from 'vitest'
import type { Viewer } from '../../src/graph/context.js'
import type { TestApp } from '../support.js'

/** Adds so many subscribers; answers their addresses by their ids. */
export async function addSubscribers(api: TestApp, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => v7())
  const emails = ids.map((id) => `${id}@example.com`)
  await api.sql(
    "insert into subscribers (id, email, subscribed_at) select id, email, now() - interval '1 day' from unnest($1::uuid[], $2::text[]) as row(id, email)",
    [ids, emails],
  )
  return emails
}

/** Sends a newsletter; answers the payload. */
export async function send(api: TestApp, as: Viewer, input: Record<string, unknown> = {}) {
  const { data, errors } = await api.query(
    `mutation ($input: SendNewsletterInput!) {
      sendNewsletter(input: $input) { newsletter { id status sent failed total } errors { code message field } }
    }`,
    { input: { subject: 'News', text: 'There is some.', idempotencyKey: v7(), ...input } },
    { as },
  )
  expect(errors).toBeUndefined()
  return data.sendNewsletter
}

/** How far it is. */
export async function progress(api: TestApp, as: Viewer, id: string) {
  const document = 'query ($id: ID!) { newsletter(id: $id) { status sent failed total } }'
  const { data, errors } = await api.query(document, { id }, { as })
  expect(errors).toBeUndefined()
  return data.newsletter
}
