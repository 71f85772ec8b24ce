/** A difference below this is left alone, so that the time does not jump back and forth with each measurement. */
const TOLERANCE_MS = 100;

/**
 * The clock of Redis, as measured from here. Requests are timed by several servers, workers and Redis itself, so all of them use the
 * clock of Redis: otherwise a server whose clock is wrong would accept requests whose codes expire at once.
 */
export class RedisClock {
  private offset = 0;

  /** @param ownNow the clock of this process, in Unix milliseconds */
  constructor(private readonly ownNow: () => number) {}

  /** The clock of Redis minus the clock of this process. */
  get offsetMs(): number {
    return this.offset;
  }

  /** The time by the clock of Redis, in Unix milliseconds. */
  now(): number {
    return this.ownNow() + this.offset;
  }

  /** Begins a measurement. @returns a function that takes the time that Redis has replied */
  start(): (redisNow: number) => void {
    const [ownStart, start] = [this.ownNow(), performance.now()];
    return (redisNow) => {
      const tripMs = performance.now() - start;
      const jumpedMs = Math.abs(this.ownNow() - ownStart - tripMs);
      if (jumpedMs > TOLERANCE_MS) return; // the own clock was set meanwhile; the next measurement is right
      // Redis read its clock at some time during the round trip.
      const offset = Math.round(redisNow - ownStart - tripMs / 2);
      if (Math.abs(offset - this.offset) > TOLERANCE_MS + tripMs / 2) this.offset = offset;
    };
  }
}
