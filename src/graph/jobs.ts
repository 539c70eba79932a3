import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql'
import { Failure } from '../core/errors.js'
import type { JobCount as JobCountRow } from '../core/events.js'
import { countJobs, type DeadJob as DeadJobRow, findDeadJobs, retryDeadJob } from '../jobs/queue.js'
import { Context, requireAdmin } from './context.js'
import { Payload, payload, Refused } from './payload.js'
import { defineSlowQuery } from './query.js'
import { DateTime } from './scalars.js'

@ObjectType({ description: 'How many jobs of a kind there are.' })
class JobCount implements JobCountRow {
  @Field({ description: 'What kind of job: an order, as in `settle-order`.' })
  readonly name!: string

  @Field(() => Int, { description: 'Not begun yet; those that failed and are tried again included.' })
  readonly waiting!: number

  @Field(() => Int, { description: 'Being done.' })
  readonly running!: number

  @Field(() => Int, { description: 'Failed for the last time.' })
  readonly dead!: number

  @Field(() => DateTime, {
    nullable: true,
    description: 'Since when the one that should have begun first waits; null where none is due.',
  })
  readonly dueSince!: string | null
}

@ObjectType({ description: 'A job that failed for the last time.' })
class DeadJob implements DeadJobRow {
  @Field(() => ID, { description: 'What it is retried by; no global id.' })
  readonly id!: string

  @Field({ description: 'What kind of job.' })
  readonly name!: string

  @Field(() => Int, { description: 'How often it was tried.' })
  readonly attempts!: number

  @Field(() => String, { nullable: true, description: 'Why it failed; null where whoever did it was lost.' })
  readonly error!: string | null

  @Field(() => DateTime, { description: 'When it was asked for.' })
  readonly enqueuedAt!: string

  @Field(() => DateTime, { description: 'When it failed for the last time.' })
  readonly failedAt!: string
}

@InputType({ description: 'Which job to try again.' })
class RetryJobInput {
  @Field(() => ID, { description: 'The id of a DeadJob.' })
  readonly id!: string
}

@ObjectType({ description: 'The job that is tried again.' })
class RetryJobPayload extends Payload {
  @Field(() => ID, { nullable: true, description: 'Its id; null where there are errors.' })
  readonly id?: string | null
}

const jobCounts = defineSlowQuery('jobCounts', countJobs)
const deadJobs = defineSlowQuery('deadJobs', findDeadJobs)

const mostDeadJobs = 100

/** What administrators see of the queue, and do about it. */
@Resolver()
export class JobResolver {
  @Query(() => [JobCount], { description: 'The jobs of each kind that has any, by name; for administrators.' })
  jobCounts(@Ctx() ctx: Context): Promise<JobCount[]> {
    requireAdmin(ctx)
    return jobCounts(ctx)
  }

  @Query(() => [DeadJob], {
    description: 'Jobs that failed for the last time, the last one first; for administrators.',
  })
  deadJobs(
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many at most: 0 to 100.' }) first: number,
    @Ctx() ctx: Context,
  ): Promise<DeadJob[]> {
    requireAdmin(ctx)
    if (first < 0 || first > mostDeadJobs) throw new Failure('BAD_USER_INPUT', `\`first\` takes 0 to ${mostDeadJobs}.`)
    return deadJobs(ctx, { limit: first })
  }

  @Mutation(() => RetryJobPayload, {
    description: 'Tries a dead job again, as often as a new one; for administrators.',
  })
  retryJob(@Arg('input', { description: 'Which job.' }) input: RetryJobInput, @Ctx() ctx: Context) {
    requireAdmin(ctx)
    return payload(async () => {
      const known = /^\d{1,18}$/.test(input.id)
      const [retried] = known ? await ctx.write((tx) => tx.sql(retryDeadJob(input.id), [])) : []
      if (!retried) throw new Refused('NOT_FOUND', 'There is no such dead job.', ['id'])
      return retried
    })
  }
}
