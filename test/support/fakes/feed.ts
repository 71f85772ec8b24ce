import type { Step } from "../../../src/otp/delivery/step.js";
import { OtpError } from "../../../src/otp/errors.js";
import type { OtpService } from "../../../src/otp/service.js";

type Options = Parameters<OtpService["watch"]>[1];

export const QUEUED: Step = {
  sequence: 1,
  status: "QUEUED",
  at: 1_700_000_000_000,
  final: false,
  expiresAt: undefined,
};
export const PROCESSING: Step = { ...QUEUED, sequence: 2, status: "PROCESSING", at: QUEUED.at + 250 };
export const SENT: Step = {
  ...QUEUED,
  sequence: 3,
  status: "SENT",
  at: QUEUED.at + 500,
  expiresAt: QUEUED.at + 600_000,
};
export const VERIFIED: Step = { ...SENT, sequence: 4, status: "VERIFIED", final: true };

/** A delivery whose steps the test pushes. It replaces the domain, and its watches end as those of the domain do. */
export class Feed {
  /** The only valid token. */
  readonly token = "the-token";
  /** The options of the watches that were opened, in order. */
  readonly opened: Options[] = [];
  /** How many steps were read. */
  asked = 0;
  private steps: Step[] = [];
  private broken: unknown;
  private readonly waiting = new Set<() => void>();

  push(...steps: readonly Step[]): void {
    this.steps = [...this.steps, ...steps];
    this.wake();
  }

  /** Makes every watch fail after it has read its steps. */
  breakOff(error: unknown): void {
    this.broken = error;
    this.wake();
  }

  /** Resolves once a condition holds. The feed checks it whenever its own state changes. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.change();
  }

  readonly watch: OtpService["watch"] = async ({ token }, options) => {
    if (token !== this.token)
      throw OtpError.invalid([{ field: "token", description: "is not a token of this service" }]);
    this.opened.push(options);
    options.signal.addEventListener("abort", () => this.wake());
    this.wake();
    const after = options.after ?? 0;
    return {
      isOver: this.steps.some(({ final, sequence }) => final && sequence <= after),
      steps: this.follow(options),
    };
  };

  private async *follow({ after = 0, signal }: Options): AsyncGenerator<Step> {
    let last = after;
    while (!signal.aborted) {
      const step = this.steps.find(({ sequence }) => sequence > last);
      if (step !== undefined) {
        last = step.sequence;
        this.asked++;
        this.wake();
        yield step;
        if (step.final) return;
      } else if (this.broken !== undefined) throw this.broken;
      else await this.change();
    }
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiting.add(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

/** A delivery with an endless number of steps. It makes a step only when a caller reads it. */
export class EndlessFeed {
  /** How many steps were read. */
  asked = 0;
  /** Resolves when its only watch is over. */
  readonly over: Promise<void>;
  private end: () => void = () => undefined;

  constructor() {
    this.over = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  readonly watch: OtpService["watch"] = async (_asked, { signal }) => {
    signal.addEventListener("abort", this.end);
    return { isOver: false, steps: this.steps(signal) };
  };

  private async *steps(signal: AbortSignal): AsyncGenerator<Step> {
    while (!signal.aborted) yield { ...PROCESSING, sequence: ++this.asked };
  }
}
