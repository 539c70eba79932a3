import { z } from 'zod'
import { enqueue } from '../../jobs/enqueue.js'
import { defineJob, type Job, type Run } from '../../jobs/job.js'
import { type Mail, MailRefused } from '../../mail/mailer.js'
import { advance, endNewsletter, findChunk } from './newsletter-progress.data.js'

const payload = z.object({ newsletter: z.uuid() })
type Payload = z.infer<typeof payload>

/** So many subscribers a job writes to: few enough for it to be short, and many beside what a job costs. */
const size = 1_000

/**
 * Writes to the next subscribers of a newsletter, and has the following ones written to by the next job. Each message's
 * success is committed before the next one is begun: whenever the process ends, the one in flight is repeated at most,
 * under the same Message-ID.
 */
export const sendNewsletterChunk: Job<Payload> = defineJob({
  name: 'send-newsletter-chunk',
  payload,
  queue: ({ newsletter }: Payload) => newsletter,
  // Of a very slow transport: 3.6 s a message. What was sent until then counts.
  timeout: 3_600_000,
  run: sendChunk,
})

async function sendChunk({ newsletter: id }: Payload, run: Run): Promise<void> {
  const chunk = await run.write((tx) => findChunk(tx, id, size))
  if (!chunk) return
  const { subscribers, subject, text } = chunk
  let done = 0
  for (const { id: subscriber, email } of subscribers) {
    // The worker must stop: the next job goes on from here, and none has failed.
    if (run.signal.aborted) break
    const result = await send({ id: `${id}.${subscriber}`, to: email, subject, text }, run)
    await run.write((tx) => advance(tx, id, subscriber, result))
    done++
  }
  await run.finish(async (tx) => {
    if (done < size && done === subscribers.length) await endNewsletter(tx, id)
    else enqueue(tx, sendNewsletterChunk, { newsletter: id })
  })
}

async function send(mail: Mail, { mail: mailer, log }: Run): Promise<'sent' | 'failed'> {
  try {
    await mailer.send(mail)
    return 'sent'
  } catch (error) {
    if (!(error instanceof MailRefused)) throw error
    log.warn({ mail: mail.id, reason: error.message }, 'an address was refused')
    return 'failed'
  }
}
