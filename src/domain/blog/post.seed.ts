import type { Seeding } from '../../graph/slice.js'

export async function seedBlog(_seeding: Seeding): Promise<void> {}
