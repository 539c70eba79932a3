const interval = 5

/** How long this process was too busy to do anything on time. */
export class Lag {
  private readonly stalls: { readonly end: number; readonly lasted: number }[] = []
  private last = performance.now()
  private readonly timer = setInterval(() => {
    const now = performance.now()
    const lasted = now - this.last - interval
    this.last = now
    if (lasted > 2) this.stalls.push({ end: now, lasted })
    if (this.stalls.length > 20_000) this.stalls.splice(0, 10_000)
  }, interval).unref()

  /** In ms, of that time. */
  within(since: number, until: number): number {
    let sum = 0
    for (let index = this.stalls.length - 1; index >= 0; index--) {
      const stall = this.stalls[index]
      if (!stall || stall.end < since) break
      if (stall.end - stall.lasted <= until) sum += stall.lasted
    }
    return sum
  }

  stop(): void {
    clearInterval(this.timer)
  }
}
