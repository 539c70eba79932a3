import type { Random } from '../../graph/random.js'

/** A headline about that subject. */
export function writeTitle(draw: Random, subject: string): string {
  return draw.pick(titles)(draw, subject)
}

/** Paragraphs of together about `length` characters, never fewer. */
export function writeBody(draw: Random, length: number): string {
  const paragraphs: string[] = []
  for (let written = 0; written < length; ) {
    const paragraph = Array.from({ length: draw.whole(3, 6) }, () => writeSentence(draw)).join(' ')
    paragraphs.push(paragraph)
    written += paragraph.length + 2
  }
  const whole = paragraphs.join('\n\n')
  return whole.slice(0, whole.indexOf('.', length - 1) + 1 || undefined)
}

/** One to four sentences. */
export function writeComment(draw: Random): string {
  const rest = Array.from({ length: draw.whole(0, 3) }, () => writeSentence(draw))
  return [draw.pick(openings), ...rest].join(' ')
}

function writeSentence(draw: Random): string {
  return draw.pick(sentences)(draw)
}

type Sentence = (draw: Random) => string

const thing: Sentence = (draw) => things[draw.rank(things.length, 0.8)] as string
const quality: Sentence = (draw) => qualities[draw.rank(qualities.length, 0.6)] as string
const act: Sentence = (draw) => acts[draw.rank(acts.length, 0.6)] as string
const moment: Sentence = (draw) => draw.pick(moments)

const sentences: readonly Sentence[] = [
  (d) => `The ${quality(d)} ${thing(d)} had to ${act(d)} the ${thing(d)} ${moment(d)}.`,
  (d) => `${start(moment(d))}, we chose to ${act(d)} every ${thing(d)} that looked ${quality(d)}.`,
  (d) => `Nobody expects a ${thing(d)} to ${act(d)} a ${quality(d)} ${thing(d)}, yet it does.`,
  (d) => `It took ${d.whole(2, 90)} days and ${d.whole(2, 40)} attempts before the ${thing(d)} was ${quality(d)}.`,
  (d) => `If you ${act(d)} the ${thing(d)} first, the ${thing(d)} stays ${quality(d)}.`,
  (d) => `My neighbour says that a ${quality(d)} ${thing(d)} is worth more than ${d.whole(3, 12)} ${quality(d)} ones.`,
  (d) => `What I would ${act(d)} today is the ${thing(d)}, not the ${thing(d)} beside it.`,
  (d) => `There is a ${quality(d)} way to ${act(d)} a ${thing(d)}, and there is the way we did it ${moment(d)}.`,
  (d) => `Entry ${d.whole(1_000, 99_999)} of the notebook tells how to ${act(d)} the ${thing(d)}.`,
  (d) => `Between the ${thing(d)} and the ${thing(d)} lies everything that is ${quality(d)}.`,
  (d) => `We measured the ${thing(d)} ${moment(d)}: ${d.whole(10, 999)} before, ${d.whole(1, 99)} after.`,
  (d) => `A ${thing(d)} that you cannot ${act(d)} will sooner or later ${act(d)} you.`,
  (d) => `Some prefer the ${quality(d)} ${thing(d)}; I ${act(d)} mine ${moment(d)} and am content.`,
  (d) => `The reason was neither the ${thing(d)} nor its ${quality(d)} ${thing(d)}, it was the ${thing(d)}.`,
]

const titles: readonly ((draw: Random, subject: string) => string)[] = [
  (d, subject) => `${subject}: how to ${act(d)} a ${quality(d)} ${thing(d)}`,
  (d, subject) => `What ${d.whole(3, 30)} years of ${subject.toLowerCase()} taught me about the ${thing(d)}`,
  (d, subject) => `${subject} and the ${quality(d)} ${thing(d)}`,
  (d, subject) => `Do not ${act(d)} the ${thing(d)}: notes on ${subject.toLowerCase()}`,
  (d, subject) => `A ${quality(d)} ${thing(d)}, a ${quality(d)} ${thing(d)}, and ${subject.toLowerCase()}`,
  (d, subject) => `${start(thing(d))} or ${thing(d)}? A question of ${subject.toLowerCase()}`,
  (d, subject) => `${subject} ${moment(d)}`,
]

function start(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const openings = [
  ...[
    'Thank you for this.',
    'I tried it and it works.',
    'I do not agree.',
    'This is what I was looking for.',
    'Well put.',
  ],
  ...['Could you say more about the last part?', 'The same happened to us.', 'You forgot the winter.', 'Beautiful.'],
  ...['Has anybody measured this?', 'Reading it a second time, I see the point.', 'Not in my experience.', 'Saved.'],
]

const moments = [
  ...['last winter', 'before breakfast', 'on the second day', 'after the release', 'in the first week', 'at night'],
  ...['when the rain came', 'between two trains', 'over the years', 'in a single afternoon', 'during the move'],
  ...['without asking', 'for the third time', 'far too late', 'in spring', 'by the book', 'at the workshop'],
]

const acts = (
  'measure repair replace move sharpen copy trust question open close sort paint cache weigh index polish postpone ' +
  'split mend borrow name count water describe test rebuild share carry balance rewrite bake map store review lift ' +
  'tighten archive plant untangle sketch ferment calibrate navigate'
).split(' ')

const qualities = (
  'small quiet slow simple heavy careful wooden late warm narrow fast fresh borrowed strange ' +
  'bright patient crooked local shallow steep durable fragile forgotten dry double foreign silent familiar ' +
  'rusty seasonal hollow golden nocturnal reversible'
).split(' ')

const things = (
  'plan table garden bridge letter kitchen map queue clock river notebook window server hive recipe road ' +
  'ladder harbour library signal lens chisel rope cable branch compass wheel valve lantern crew meadow ' +
  'kettle pawn telescope cellar workbench schedule sail glaze barometer keel gearbox seedling mortar ' +
  'ferry chimney blueprint quarry turntable hinge pulley trellis sourdough tripod sextant bobbin ' +
  'crankset dovetail kiln rudder nebula pendulum gambit tributary vellum propolis'
).split(' ')
