/** How long to wait before the next try: twice as long each time, within limits, and not for everybody at once. */

// Public API

/** @param tries  how often it has failed already, from 1 */
export function backoffMs(tries: number, { firstMs = 250, longestMs = 15_000 } = {}): number {
  const whole = Math.min(firstMs * 2 ** (tries - 1), longestMs);
  // Half of it is chance, so that workers and requests that failed together do not come back together.
  return whole / 2 + (Math.random() * whole) / 2;
}
