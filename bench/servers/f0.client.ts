import type { Asked, Client } from '../client.js'

/** The floors' own paths, and answers that need no translation. */
export const f0: Client = {
  asks: {
    S1: ({ id }) => get('S1', id),
    S2: () => get('S2'),
    S3: () => get('S3'),
    S4: ({ after }) => get('S4', after.publishedAt, after.id),
    S5: () => get('S5'),
    S6: ({ userId, token }) => ({ ...get('S6', userId), headers: { authorization: `Bearer ${token}` } }),
    S7: ({ first, after, comments }) => get('S7', first, after.publishedAt, after.id, comments),
    S8: () => get('S8'),
  },
  normalise: (_shape, answer) => (answer as { data: unknown }).data,
}

function get(...parts: (string | number)[]): Asked {
  return { path: `/${parts.map(encodeURIComponent).join('/')}` }
}
