import { fill } from '../../graph/fill.js'
import { defineRandom, type Random, spread, timeText } from '../../graph/random.js'
import type { Seeding } from '../../graph/slice.js'
import { ProductTable } from './product.entity.js'

const random = defineRandom('product')
const textRandom = defineRandom('product text')

/** Products have come in for so long, in microseconds. */
const span = 5 * 365 * 86_400e6

/** The pieces of each product, by its index. */
export interface Sales {
  readonly sold: Uint32Array
  readonly reserved: Uint32Array
}

/** Fills products. */
export async function seedProducts(seeding: Seeding, sales: Sales): Promise<void> {
  await fill(seeding, {
    table: ProductTable,
    columns: {
      id: 'uuid',
      name: 'text',
      description: 'text',
      sku: 'text',
      brand: 'text',
      price: 'numeric',
      currency: 'text',
      stock: 'integer',
      reserved: 'integer',
      sold_count: 'integer',
      weight: 'numeric',
      active: 'boolean',
      created_at: 'timestamptz',
    },
    of: productCount(seeding),
    rows: products(seeding, sales),
  })
}

export function productCount({ scale }: Seeding): number {
  return Math.max(20, Math.round(5_000 * scale))
}

/** What other rows need of a product: its price in hundredths, its time in microseconds since 1970. */
export function seededProduct(seeding: Seeding, index: number) {
  const draw = random(index)
  const createdAt = Math.floor(seeding.day - span * (1 - (index + draw.unit()) / productCount(seeding)))
  // As many cost 5 to 50 as cost 50 to 500.
  const price = Math.floor(5 * 300 ** draw.unit()) * 100 + draw.pick([0, 50, 90, 95, 99])
  return { index, id: draw.uuid(createdAt), createdAt, price, currency: index % 5 === 4 ? 'USD' : 'EUR', draw }
}

/** A product that was sold by that time, in that currency where one is given; few sell much. */
export function pickProduct(seeding: Seeding, draw: Random, time: number, currency?: string) {
  const count = productCount(seeding)
  for (let tries = 0; tries < 50; tries++) {
    const product = seededProduct(seeding, spread(draw.rank(count, 0.95), count))
    if (product.createdAt < time && (currency ?? product.currency) === product.currency) return product
  }
  return seededProduct(seeding, currency === 'USD' ? 4 : 0)
}

/** An amount in hundredths as a decimal. */
export function money(hundredths: number): string {
  return (hundredths / 100).toFixed(2)
}

function* products(seeding: Seeding, { sold, reserved }: Sales) {
  for (let index = 0; index < productCount(seeding); index++) {
    const { id, createdAt, price, currency, draw } = seededProduct(seeding, index)
    const free = draw.whole(1, 12) === 1 ? 0 : draw.whole(1, 500)
    const promised = reserved[index] as number
    const text = textRandom(index)
    const noun = text.pick(nouns)
    yield {
      id,
      name: `${text.pick(styles)} ${text.pick(materials)} ${noun}`,
      description: describe(text, noun.toLowerCase()),
      sku: `${noun.slice(0, 3).toUpperCase()}-${String(index + 1).padStart(6, '0')}`,
      brand: draw.whole(1, 10) === 1 ? null : draw.pick(brands),
      price: money(price),
      currency,
      stock: promised + free,
      reserved: promised,
      sold_count: sold[index] as number,
      weight: draw.whole(1, 7) === 1 ? null : (draw.whole(20, 25_000) / 1_000).toFixed(3),
      active: draw.whole(1, 10) > 1,
      created_at: timeText(createdAt),
    }
  }
}

function describe(draw: Random, noun: string): string {
  return [
    `A ${noun} ${draw.pick(purposes)}.`,
    `Made in ${draw.pick(places)}, ${draw.pick(makings)}.`,
    `It measures ${draw.whole(4, 180)} by ${draw.whole(4, 90)} centimetres and ${draw.pick(promises)}.`,
    ...(draw.whole(1, 2) === 1 ? [`Comes with ${draw.pick(extras)}.`] : []),
  ].join(' ')
}

const styles = 'Classic Compact Folding Nordic Plain Portable Rugged Slim Studio Tall Travel Vintage Wide Winter'.split(
  ' ',
)
const materials = 'Ash Bamboo Brass Ceramic Cork Cotton Glass Leather Linen Oak Slate Steel Walnut Wool'.split(' ')
const nouns = (
  'Backpack Basket Bench Blanket Board Bottle Bowl Chair Clock Desk Drawer Frame Jug Kettle Knife Lamp Mirror Mug ' +
  'Notebook Pan Pillow Plate Rack Rug Scale Shelf Stool Table Teapot Tray Vase Wallet'
).split(' ')
const brands =
  'Alder Brightwater Cobble Dunmore Fennick Gableton Harrow Juniper Kestrel Larkfield Merrow Tidewell'.split(' ')
const purposes = [
  ...['for small kitchens', 'for long evenings', 'for people who travel light', 'that lasts a lifetime', 'for two'],
  ...['for the workshop', 'that is repaired, not replaced', 'for rainy days', 'for every day', 'that folds flat'],
]
const places = ['Porto', 'Leipzig', 'Bergen', 'Trieste', 'Ghent', 'Izmir', 'Osaka', 'Oaxaca', 'Galway', 'Chiang Mai']
const makings = ['by hand', 'in small numbers', 'of what others throw away', 'since 1931', 'without glue', 'to order']
const promises = ['can be taken apart', 'goes into the dishwasher', 'bears a grown person', 'gets better with age']
const extras = [
  'a spare part',
  'a cloth for its care',
  'a bag of linen',
  'a guarantee of ten years',
  'a sharpening stone',
]
