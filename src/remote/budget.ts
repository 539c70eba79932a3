/** Of the calls: so many may be retried in the long run. */
const share = 0.2

/** Retries that may be made before enough calls were. */
export const reserve = 5

/** What one service's retries are paid from, lest a service that fails is asked twice as much for it. */
export class RetryBudget {
  private left = reserve

  /** A call is made. */
  earn(): void {
    this.left = Math.min(this.left + share, reserve)
  }

  /** Takes one retry out of it; false where none is left. */
  take(): boolean {
    if (this.left < 1) return false
    this.left -= 1
    return true
  }
}
