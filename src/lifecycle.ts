import type { Logger } from "pino";

type Close = () => unknown;

const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof STATUS;

/** Runs a program: opens its parts, waits for a signal, and closes the parts in reverse order. */
export class Lifecycle {
  private readonly closers: { readonly name: string; readonly close: Close }[] = [];
  private onSignal: ((signal: Signal) => void) | undefined;
  private readonly signalled: Promise<Signal>;
  private readonly secondSignal: Promise<number>;
  private onFailure: (status: number) => void = () => undefined;
  private readonly failed = new Promise<number>((resolve) => {
    this.onFailure = resolve;
  });

  /** @param closingMs how long closing may take in total */
  constructor(
    private readonly log: Logger,
    private readonly closingMs: number,
  ) {
    this.signalled = this.nextSignal();
    this.secondSignal = this.signalled.then(() => this.nextSignal()).then((signal) => STATUS[signal]);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => this.onSignal?.(signal));
  }

  /**
   * Runs a program until a signal ends it.
   *
   * @param open opens the parts and registers how to close each of them
   * @returns the exit status: 0 if everything closed in time, 1 if something failed, and 128 plus the signal's number if a second
   *   signal arrived, which ends the program at once
   */
  async run(open: (onClose: (name: string, close: Close) => void) => Promise<void>): Promise<number> {
    const crashed = this.uncaughtError();
    try {
      const opened = open((name, close) => this.closers.push({ name, close }));
      await Promise.race([opened, this.failed]);
    } catch (error) {
      this.log.fatal({ err: error }, "could not start");
      return 1;
    }
    return Promise.race([crashed, this.failed, this.signalled.then((signal) => this.close(signal))]);
  }

  /** Ends the program with status 1, even while it starts. */
  readonly fail = (reason: string): void => {
    this.log.fatal(reason);
    this.onFailure(1);
  };

  private async close(signal: Signal): Promise<number> {
    this.log.info({ signal }, "closing");
    const status = await Promise.race([this.closeAll(), this.timeOut(), this.secondSignal]);
    this.log.info({ status }, "closed");
    return status;
  }

  private async closeAll(): Promise<number> {
    let status = 0;
    for (const { name, close } of this.closers.toReversed()) {
      try {
        await close();
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
