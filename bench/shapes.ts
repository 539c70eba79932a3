/** A post's place in the list by newest publication: the database's own text of `published_at`, and the id. */
export interface Place {
  readonly publishedAt: string
  readonly id: string
}

/** Real keys of the database that is asked, the same for every server. */
export interface Sample {
  /** Published posts, spread over all of them. */
  readonly postIds: readonly string[]
  /** Places about 50,000 posts deep. */
  readonly deep: readonly Place[]
  /** Places spread over the whole list. */
  readonly places: readonly Place[]
  /** Users who ordered most, each with a signed token. */
  readonly buyers: readonly { readonly userId: string; token: string }[]
}

/** What each shape is asked with. Pages are by newest first; S2, S3, S5 have fixed sizes: 50, 20 (5 comments), 100. */
export interface Variables {
  /** `post(id) { id title body status publishedAt createdAt }` */
  S1: { readonly id: string }
  /** `posts(50) { id title publishedAt author { id name } }`, hasNextPage and endCursor */
  S2: object
  /** `posts(20) { id title author { name } tags { name } comments(5) { body author { name } } }` */
  S3: object
  /** `posts(20, after) { cursor id title publishedAt }`, hasNextPage and endCursor */
  S4: { readonly after: Place }
  /** `products(100) { id name sku price currency stock soldCount weight active createdAt }`, active ones */
  S5: object
  /** `user(id) { orders(20) { id status total createdAt items { quantity unitPrice product { id name } } } }` */
  S6: { readonly userId: string; readonly token: string }
  /** S3 with `$first`, `$after` and `$comments`, as one document. */
  S7: { readonly first: number; readonly after: Place; readonly comments: number }
  /** `posts(5) { id title publishedAt author { id name } tags { name } comments(2) { body createdAt author { name } } }`, its text by {@link vary} */
  S8: { readonly variant: number }
}

export type ShapeName = keyof Variables

/** The variables of a shape's request number `index`: the same at every run over the same data. */
export const shapes: { readonly [Name in ShapeName]: (sample: Sample, index: number) => Variables[Name] } = {
  S1: ({ postIds }, index) => ({ id: at(postIds, index) }),
  S2: () => ({}),
  S3: () => ({}),
  S4: ({ deep }, index) => ({ after: at(deep, index) }),
  S5: () => ({}),
  S6: ({ buyers }, index) => at(buyers, index),
  S7: ({ places }, index) => ({
    after: at(places, index),
    // 25 combinations, another one at each turn through the places: 20 posts and 5 comments on average.
    first: 18 + (Math.floor(index / places.length) % 5),
    comments: 3 + (Math.floor(index / places.length / 5) % 5),
  }),
  S8: (_sample, index) => ({ variant: index }),
}

/** How many different documents S8 has. */
export const variants = 1_000

/**
 * Writes S8's document number `variant`: the result takes the selections of one level (each begins with its field's
 * name) and answers them in another order, most under an alias `x<n>_<field>`.
 */
export function vary(variant: number): (...selections: string[]) => string {
  // A multiplicative generator (Lehmer's): small, and the same everywhere.
  let state = (variant + 1) * 48_271
  const draw = (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  return (...selections) => {
    const rest = [...selections]
    const ordered: string[] = []
    while (rest.length > 0) ordered.push(...rest.splice(draw(rest.length), 1))
    return ordered
      .map((selection) => (draw(4) > 0 ? `x${draw(10_000)}_${nameOf(selection)}: ` : '') + selection)
      .join(' ')
  }
}

function nameOf(selection: string): string {
  return /^\w+/.exec(selection)?.[0] ?? ''
}

function at<Value>(values: readonly Value[], index: number): Value {
  return values[index % values.length] as Value
}
