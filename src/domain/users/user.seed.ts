import type { Seeding } from '../../graph/slice.js'

export async function seedUsers(_seeding: Seeding): Promise<void> {}
