import { loadPage } from '../../graph/page.js'
import { defineWarmer } from '../../graph/warmer.js'
import { largestPageSize } from '../../graph/window.js'
import { userById } from '../users/user.data.js'
import { postById, posts } from './post.data.js'
import { tagsOfPost } from './tag.data.js'

/** The posts that were published last, with their authors and tags. */
export const warmRecentPosts = defineWarmer({
  name: 'recent posts',
  async run(ctx, progress) {
    const { rows } = await loadPage(ctx, posts, { first: largestPageSize })
    await Promise.all(
      rows.flatMap(({ id, authorId }) => [
        ctx.load(postById, id),
        ctx.load(userById, authorId),
        ctx.load(tagsOfPost, id),
      ]),
    )
    progress(rows.length, rows.length)
  },
})
