import type { Logger } from "pino";

/** Lines of one kind per second. More would not help a reader and could fill the disk. */
const PER_SECOND = 10;
const SECOND_MS = 1_000;

/** Logs at most ten lines per second, and reports how many it suppressed with the next one. */
export class ThrottledLog {
  private secondStart = Number.NEGATIVE_INFINITY;
  private logged = 0;
  private suppressed = 0;

  /** @param now the clock, in milliseconds */
  constructor(
    private readonly target: Logger,
    private readonly now: () => number = () => performance.now(),
  ) {}

  log(level: "warn" | "error", fields: object, message: string): void {
    if (this.now() - this.secondStart >= SECOND_MS) {
      this.secondStart = this.now();
      this.logged = 0;
    }
    if (this.logged === PER_SECOND) {
      this.suppressed++;
      return;
    }
    this.logged++;
    this.target[level]({ ...fields, ...(this.suppressed > 0 && { suppressed: this.suppressed }) }, message);
    this.suppressed = 0;
  }
}
