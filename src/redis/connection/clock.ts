/** A difference below this is left alone, so that the time does not jump back and forth with each measurement. */
const TOLERANCE_MS = 100;

/**
 * The clock of Redis, as measured from here. Requests are timed by several servers, workers and Redis itself, so all of them use the
 * clock of Redis: otherwise a server whose clock is wrong would accept requests whose codes expire at once. Once it has been measured,
 * it goes on without the clock of this process, which may jump.
 */
export class RedisClock {
  /** The clock of Redis minus `performance.now()`; undefined until it has been measured. */
  private origin: number | undefined;

  /** @param ownNow the clock of this process, in Unix milliseconds */
  constructor(private readonly ownNow: () => number) {}

  /** The clock of Redis minus the clock of this process; 0 until it has been measured, and while it is too small to measure. */
  get offsetMs(): number {
    const offset = this.now() - this.ownNow();
    return Math.abs(offset) > TOLERANCE_MS ? offset : 0;
  }

  /** The time by the clock of Redis, in Unix milliseconds. */
  now(): number {
    return this.origin === undefined ? this.ownNow() : Math.round(performance.now() + this.origin);
  }

  /** Begins a measurement. @returns a function that takes the time that Redis has replied, and tells whether its clock was set back */
  start(): (redisNow: number) => boolean {
    const start = performance.now();
    return (redisNow) => {
      const tripMs = performance.now() - start;
      // Redis read its clock at some time during the round trip.
      const origin = redisNow - start - tripMs / 2;
      const before = this.origin ?? Number.NEGATIVE_INFINITY;
      if (Math.abs(origin - before) <= TOLERANCE_MS + tripMs / 2) return false;
      this.origin = origin;
      return origin < before;
    };
  }
}
