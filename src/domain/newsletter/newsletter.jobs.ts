import { z } from 'zod'
import { enqueue } from '../../jobs/enqueue.js'
import { defineJob, type Job, type Run } from '../../jobs/job.js'
import { type Mail, MailDeferred, MailRefused } from '../../mail/mailer.js'
import { endNewsletter, findChunk, findLetter, note } from './newsletter-progress.data.js'

/** How many subscribers a job writes to, and for how long, in ms: others of its queue wait for it. */
const most = { subscribers: 1_000, time: 10_000 }

/** At which attempt a server that wants a letter later has had its time: of all that wait, and of this one, most of a day. */
const patience = { all: 3, one: 12 }

const payload = z.object({ newsletter: z.uuid() })
type Payload = z.infer<typeof payload>

/**
 * Writes to the next subscribers of a newsletter, and has the following ones written to by the next job. Each message's
 * success is committed before the next one is begun: whenever the process ends, the one in flight is repeated at most,
 * under the same Message-ID.
 */
export const sendNewsletterChunk: Job<Payload> = defineJob({
  name: 'send-newsletter-chunk',
  payload,
  queue: ({ newsletter }: Payload) => newsletter,
  // The last message may take a minute more, where each of its steps takes as long as it may.
  timeout: 120_000,
  run: sendChunk,
})

async function sendChunk({ newsletter }: Payload, run: Run): Promise<void> {
  const chunk = await run.write((tx) => findChunk(tx, newsletter, most.subscribers))
  if (!chunk) return
  const { subscribers, subject, text } = chunk
  const end = performance.now() + most.time
  let done = 0
  for (const { id: subscriber, email } of subscribers) {
    // The next job goes on from here, and none has failed: the worker must stop, or others have waited for long enough.
    if (run.signal.aborted || performance.now() > end) break
    const letter = { newsletter, subscriber }
    const mail = { id: messageOf(letter), to: email, subject, text }
    // Nor has one that could do something: the next one tries, and has all its attempts for it.
    const result = await send(mail, run, patience.all).catch((error) => {
      if (done === 0) throw error
      run.log.warn({ mail: mail.id, err: error }, 'a newsletter is held up')
    })
    if (!result) break
    await run.write(async (tx) => {
      await note(tx, newsletter, { result, subscriber })
      if (result === 'deferred') enqueue(tx, sendNewsletterLetter, letter)
    })
    done++
    // The next letter is asked about as often.
    if (result === 'deferred') break
  }
  await run.finish(async (tx) => {
    if (done < most.subscribers && done === subscribers.length) await endNewsletter(tx, newsletter)
    else enqueue(tx, sendNewsletterChunk, { newsletter })
  })
}

const letterPayload = z.object({ newsletter: z.uuid(), subscriber: z.uuid() })

/** Writes to one subscriber whose server asked for it to be tried later. */
export const sendNewsletterLetter = defineJob({
  name: 'send-newsletter-letter',
  payload: letterPayload,
  async run({ newsletter, subscriber }, run) {
    const found = await run.write((tx) => findLetter(tx, newsletter, subscriber))
    const id = messageOf({ newsletter, subscriber })
    const result = found ? await send({ id, ...found }, run, patience.one) : 'failed'
    await run.finish((tx) => note(tx, newsletter, { result: result === 'sent' ? 'sent' : 'failed' }))
  },
})

function messageOf({ newsletter, subscriber }: z.infer<typeof letterPayload>): string {
  return `${newsletter}.${subscriber}`
}

/** What became of it; deferred where the server was asked so often and still wants it later. */
async function send(mail: Mail, { mail: mailer, log, attempt }: Run, times: number) {
  try {
    await mailer.send(mail)
    return 'sent'
  } catch (error) {
    const isDeferred = error instanceof MailDeferred && attempt >= times
    if (!isDeferred && !(error instanceof MailRefused)) throw error
    log.warn(
      { mail: mail.id, reason: error.message },
      isDeferred ? 'an address was deferred' : 'an address was refused',
    )
    return isDeferred ? 'deferred' : 'failed'
  }
}
