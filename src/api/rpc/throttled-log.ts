import type { Logger } from "pino";

/** Lines of one kind within a second: who reads them has seen enough, and a disk that fills takes more down with it. */
const PER_SECOND = 10;
const SECOND_MS = 1_000;

/** Logs what each of many calls may have to say, at most ten times a second, and says how often it went unsaid. */
export class SparingLog {
  private begun = Number.NEGATIVE_INFINITY;
  private said = 0;
  private unsaid = 0;

  /** @param now the clock, in milliseconds */
  constructor(
    private readonly log: Logger,
    private readonly now: () => number = () => performance.now(),
  ) {}

  say(level: "warn" | "error", about: object, message: string): void {
    if (this.now() - this.begun >= SECOND_MS) {
      this.begun = this.now();
      this.said = 0;
    }
    if (this.said === PER_SECOND) {
      this.unsaid++;
      return;
    }
    this.said++;
    this.log[level]({ ...about, ...(this.unsaid > 0 && { unsaid: this.unsaid }) }, message);
    this.unsaid = 0;
  }
}
