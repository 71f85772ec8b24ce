import type { Logger } from "pino";

/** Closes a part. `hasPaused` says whether the whole pause has passed, so that load balancers send no new calls. */
type Close = (hasPaused: boolean) => unknown;

const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof STATUS;

/**
 * Runs a program: opens its parts, waits for a signal, and closes the parts in reverse order. Between SIGTERM and closing there is a
 * pause in which the program is no longer ready but still serves, so that load balancers have time to notice. SIGINT, or a second
 * signal, skips it.
 */
export class Lifecycle {
  private readonly closers: { readonly name: string; readonly close: Close }[] = [];
  private readonly enders: (() => void)[] = [];
  private readonly pauseMs: number;
  private readonly closingMs: number;
  private hasSignal = false;
  private onSignal: ((signal: Signal) => void) | undefined;
  private onFailure: (status: number) => void = () => undefined;
  private readonly failed = new Promise<number>((resolve) => {
    this.onFailure = resolve;
  });

  constructor(
    private readonly log: Logger,
    times: {
      /** How long closing may take in total, after the pause. */
      readonly closingMs: number;
      /** How long the pause lasts; by default there is none. */
      readonly pauseMs?: number;
    },
  ) {
    this.closingMs = times.closingMs;
    this.pauseMs = times.pauseMs ?? 0;
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => this.onSignal?.(signal));
  }

  /** Whether a signal has arrived, after which the program must not report that it is ready. */
  get isEnding(): boolean {
    return this.hasSignal;
  }

  /** Registers what happens as soon as a signal arrives, before the pause. */
  onEnding(tell: () => void): void {
    this.enders.push(tell);
  }

  /**
   * Runs a program until a signal ends it.
   *
   * @param open opens the parts and registers how to close each of them
   * @returns the exit status: 0 if everything closed in time, 1 if something failed, and 128 plus the signal's number if another
   *   signal arrived while the parts were closing, which ends the program at once
   */
  async run(open: (onClose: (name: string, close: Close) => void) => Promise<void>): Promise<number> {
    const crashed = this.uncaughtError();
    const signalled = this.nextSignal();
    const opened = open((name, close) => this.closers.push({ name, close }));
    try {
      const early = await Promise.race([opened, signalled, this.failed.then(() => undefined)]);
      this.hasSignal = early !== undefined;
      if (early !== undefined) return await Promise.race([crashed, this.close(early, false)]);
    } catch (error) {
      this.log.fatal({ err: error }, "could not start");
      return 1;
    }
    return Promise.race([crashed, this.failed, signalled.then((signal) => this.end(signal))]);
  }

  /** Ends the program with status 1, even while it starts. */
  readonly fail = (reason: string): void => {
    this.log.fatal(reason);
    this.onFailure(1);
  };

  private async end(signal: Signal): Promise<number> {
    this.hasSignal = true;
    for (const tell of this.enders) tell();
    return this.close(signal, await this.pause(signal));
  }

  /** @returns whether the pause took place and no signal cut it short */
  private pause(signal: Signal): Promise<boolean> {
    if (signal === "SIGINT" || this.pauseMs === 0) return Promise.resolve(false);
    this.log.info({ signal, pauseMs: this.pauseMs }, "draining");
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.pauseMs, true);
      void this.nextSignal().then(() => {
        clearTimeout(timer);
        resolve(false);
      });
    });
  }

  private async close(signal: Signal, hasPaused: boolean): Promise<number> {
    this.log.info({ signal }, "closing");
    const forced = this.nextSignal().then((another) => STATUS[another]);
    const status = await Promise.race([this.closeAll(hasPaused), this.timeOut(), forced]);
    this.log.info({ status }, "closed");
    return status;
  }

  private async closeAll(hasPaused: boolean): Promise<number> {
    let status = 0;
    for (const { name, close } of this.closers.toReversed()) {
      try {
        await close(hasPaused);
      } catch (error) {
        this.log.error({ err: error, part: name }, "could not close");
        status = 1;
      }
    }
    return status;
  }

  private async timeOut(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, this.closingMs));
    this.log.warn({ closingMs: this.closingMs }, "closing took too long");
    return 1;
  }

  private nextSignal(): Promise<Signal> {
    return new Promise((resolve) => {
      this.onSignal = resolve;
    });
  }

  /** After an uncaught error the state is unknown, so the process ends and its supervisor restarts it. */
  private uncaughtError(): Promise<number> {
    return new Promise((resolve) => {
      const report = (error: unknown) => {
        this.log.fatal({ err: error }, "uncaught error");
        resolve(1);
      };
      process.on("uncaughtException", report);
      process.on("unhandledRejection", report);
    });
  }
}
