import type { Logger } from "pino";

type Close = () => unknown;

const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof STATUS;

/** Opens a program, waits for a signal, and closes what was opened in the reverse order. */
export class Lifecycle {
  private readonly closers: { readonly name: string; readonly close: Close }[] = [];
  private onSignal: ((signal: Signal) => void) | undefined;
  private readonly signalled: Promise<Signal>;
  private readonly cutShort: Promise<number>;

  /** @param closingMs how long closing may take in all */
  constructor(
    private readonly log: Logger,
    private readonly closingMs: number,
  ) {
    this.signalled = this.nextSignal();
    this.cutShort = this.signalled.then(() => this.nextSignal()).then((signal) => STATUS[signal]);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => this.onSignal?.(signal));
  }

  /**
   * Runs a program until a signal ends it.
   *
   * @param open opens its parts and says of each how to close it
   * @returns the exit status: 0 when all closed in time, 1 when something went wrong, 128 + its number for a second signal,
   *   which ends the waiting at once
   */
  async run(open: (onClose: (name: string, close: Close) => void) => Promise<void>): Promise<number> {
    const broken = this.brokenDown();
    try {
      await open((name, close) => this.closers.push({ name, close }));
    } catch (error) {
      this.log.fatal({ err: error }, "could not start");
      return 1;
    }
    return Promise.race([broken, this.signalled.then((signal) => this.close(signal))]);
  }

  private async close(signal: Signal): Promise<number> {
    this.log.info({ signal }, "closing");
    const status = await Promise.race([this.closeAll(), this.timeOut(), this.cutShort]);
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

  /** An error nobody caught leaves a state nobody knows: the process ends, and is started anew by whoever runs it. */
  private brokenDown(): Promise<number> {
    return new Promise((resolve) => {
      const report = (error: unknown) => {
        this.log.fatal({ err: error }, "broke down");
        resolve(1);
      };
      process.on("uncaughtException", report);
      process.on("unhandledRejection", report);
    });
  }
}
