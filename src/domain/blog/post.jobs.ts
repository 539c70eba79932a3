import { z } from 'zod'
import { defineJob } from '../../jobs/job.js'
import { readPostPage } from './post-page.data.js'

/** Has what a post that was just published shows read once before its readers come. */
export const warmPost = defineJob({
  name: 'warm-post',
  payload: z.object({ id: z.guid() }),
  unique: ({ id }) => id,
  run: ({ id }, run) => run.write((tx) => readPostPage(tx, id)),
})
