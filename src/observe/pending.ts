import type { Attributes, Meter } from '@opentelemetry/api'
import { type InstrumentName, instruments } from './instruments.js'

type Label = string | number | undefined

/** Takes a measurement of the series that its labels name, of which there must be few: each is kept. */
type Take<Labels extends readonly Label[]> = (value: number, ...labels: Labels) => void

/** How many measurements of a series wait at most. */
const most = 128

/**
 * Measurements that wait as plain numbers until the SDK collects them. It makes a text of the attributes of each one
 * that it is given, which costs a request much more in its middle than many of them in a row.
 */
export class Pending {
  private readonly gives: (() => void)[] = []

  constructor(private readonly meter: Meter) {}

  histogram<Labels extends readonly Label[]>(
    name: InstrumentName,
    describe: (...labels: Labels) => Attributes,
  ): Take<Labels> {
    const histogram = this.meter.createHistogram(name, instruments[name])
    const all = new SeriesTree((labels) => ({ attributes: describe(...(labels as Labels)), values: [] as number[] }))
    const give = ({ attributes, values }: { attributes: Attributes; values: number[] }) => {
      for (const value of values) histogram.record(value, attributes)
      values.length = 0
    }
    this.gives.push(() => all.kept.forEach(give))
    return (value, ...labels) => {
      const series = all.find(labels)
      if (series.values.push(value) >= most) give(series)
    }
  }

  /** What goes up and down. */
  level<Labels extends readonly Label[]>(
    name: InstrumentName,
    describe: (...labels: Labels) => Attributes,
  ): Take<Labels> {
    const counter = this.meter.createUpDownCounter(name, instruments[name])
    const all = new SeriesTree((labels) => ({ attributes: describe(...(labels as Labels)), change: 0 }))
    this.gives.push(() => {
      for (const series of all.kept) {
        counter.add(series.change, series.attributes)
        series.change = 0
      }
    })
    return (by, ...labels) => {
      all.find(labels).change += by
    }
  }

  /** Gives the SDK everything that waits. */
  give(): void {
    for (const give of this.gives) give()
  }
}

interface Branch<Series> {
  readonly branches: Map<Label, Branch<Series>>
  series: Series | undefined
}

/** Series by their labels, each made once. A map for each label: no key is made of them. */
class SeriesTree<Series> {
  readonly kept: Series[] = []
  private readonly root: Branch<Series> = { branches: new Map(), series: undefined }

  constructor(private readonly make: (labels: readonly Label[]) => Series) {}

  find(labels: readonly Label[]): Series {
    let branch = this.root
    for (const label of labels) {
      let next = branch.branches.get(label)
      if (!next) {
        next = { branches: new Map(), series: undefined }
        branch.branches.set(label, next)
      }
      branch = next
    }
    if (!branch.series) {
      branch.series = this.make(labels)
      this.kept.push(branch.series)
    }
    return branch.series
  }
}
