import type { IBreaker } from 'cockatiel'

/**
 * Opens a circuit after so many failures in a row, of which those within one span (in ms) are one: a short pause fails
 * everything that was under way, and is no reason to open it.
 */
export class PauseBreaker implements IBreaker {
  state = 0
  private countsFrom = 0

  constructor(
    private readonly times: number,
    private readonly span: number,
  ) {}

  success(): void {
    this.state = 0
  }

  failure(): boolean {
    const now = performance.now()
    if (now >= this.countsFrom) {
      this.countsFrom = now + this.span
      this.state++
    }
    return this.state >= this.times
  }
}
