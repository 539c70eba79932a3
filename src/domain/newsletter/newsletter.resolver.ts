import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql'
import { z } from 'zod'
import { text } from '../../core/text.js'
import { PageArgs } from '../../graph/connection.js'
import { Context, type Loaded, requireAdmin } from '../../graph/context.js'
import { decodeId } from '../../graph/node.js'
import { loadPage, type Page } from '../../graph/page.js'
import { payload, valid } from '../../graph/payload.js'
import type { Slice } from '../../graph/slice.js'
import { createNewsletter, newsletterById, newsletters, visibleNewsletter } from './newsletter.data.js'
import { Newsletter, type NewsletterRow, NewsletterTable } from './newsletter.entity.js'
import { sendNewsletterChunk, sendNewsletterLetter } from './newsletter.jobs.js'
import { seedNewsletter } from './newsletter.seed.js'
import { NewsletterConnection, SendNewsletterInput, SendNewsletterPayload } from './newsletter.type.js'
import { SubscriberTable } from './subscriber.entity.js'
import { SubscriberResolver } from './subscriber.resolver.js'

const subjectLength = 'A subject has 1 to 200 characters.'
const textLength = 'A text has 1 to 50,000 characters.'
const keyLength = 'A key has 1 to 100 characters.'
const sendInput = z.object({
  subject: text()
    .trim()
    .min(1, subjectLength)
    .max(200, subjectLength)
    .regex(/^\P{Cc}*$/u, 'A subject is one line, without control characters.'),
  text: text()
    .max(50_000, textLength)
    .refine((words) => words.trim() !== '', textLength),
  idempotencyKey: text().min(1, keyLength).max(100, keyLength),
})

@Resolver(() => Newsletter)
class NewsletterResolver {
  @Query(() => Newsletter, { nullable: true, description: 'The newsletter of that id; for administrators.' })
  newsletter(
    @Arg('id', () => ID, { description: 'The id of a Newsletter.' }) id: string,
    @Ctx() ctx: Context,
  ): Loaded<NewsletterRow | null> {
    requireAdmin(ctx)
    return ctx.load(newsletterById, decodeId('Newsletter', id))
  }

  @Query(() => NewsletterConnection, { description: 'All newsletters, newest first; for administrators.' })
  newsletters(@Args(() => PageArgs) args: PageArgs, @Ctx() ctx: Context): Promise<Page<NewsletterRow>> {
    requireAdmin(ctx)
    return loadPage(ctx, newsletters, args)
  }

  @Mutation(() => SendNewsletterPayload, {
    description: 'Begins to send a newsletter to everybody who has subscribed by now; for administrators.',
  })
  sendNewsletter(@Arg('input', { description: 'The newsletter.' }) input: SendNewsletterInput, @Ctx() ctx: Context) {
    requireAdmin(ctx)
    return payload(async () => {
      const id = await createNewsletter(ctx, valid(sendInput, input))
      return { newsletter: await ctx.load(newsletterById, id) }
    })
  }
}

export const newsletter: Slice = {
  name: 'newsletter',
  entities: [SubscriberTable, NewsletterTable],
  resolvers: [SubscriberResolver, NewsletterResolver],
  nodes: [{ type: 'Newsletter', key: ['id'], find: visibleNewsletter }],
  jobs: [sendNewsletterChunk, sendNewsletterLetter],
  seed: seedNewsletter,
}
