import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { Logger } from "pino";

const LOOK_MS = 1_000;
/** How long there must be descriptors before it counts as an end, so that a process at its limit does not log again and again. */
const CALM_MS = 10_000;
const EXHAUSTED: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE"]);

/** Whether an operation failed because the process, or the system, has no file descriptor left. */
export function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof Error && "code" in error && EXHAUSTED.has(error.code);
}

/**
 * Logs in one line that no file descriptor is left, and in another that there are some again. Node.js does not report a connection
 * that it could not accept for that reason, and other parts report only what failed, so this looks for itself once a second.
 */
export class Descriptors {
  private readonly timer: NodeJS.Timeout;
  /** When the last descriptor was last seen to be in use, in milliseconds of `performance.now()`; undefined while there are some. */
  private exhaustedAt: number | undefined;

  constructor(
    private readonly log: Logger,
    private readonly parts: {
      /** Whether all places for connections are taken, which leaves descriptors only for everything else. */
      readonly isFull?: () => boolean;
      /** Takes a descriptor and gives it back. @throws when there is none */
      readonly probe?: () => void;
      readonly lookMs?: number;
      readonly calmMs?: number;
    } = {},
  ) {
    this.timer = setInterval(() => this.look(), parts.lookMs ?? LOOK_MS);
  }

  /** Call it when a connection was refused or closed because there are no descriptors for more. */
  report(): void {
    const isNews = this.exhaustedAt === undefined;
    this.exhaustedAt = performance.now();
    if (isNews) this.log.warn("no file descriptors are left for more connections: raise the limit on open files");
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const isExhausted = this.isProbeRefused() || (this.exhaustedAt !== undefined && this.parts.isFull?.());
    if (isExhausted) this.report();
    if (isExhausted || this.exhaustedAt === undefined) return;
    if (performance.now() - this.exhaustedAt < (this.parts.calmMs ?? CALM_MS)) return;
    this.exhaustedAt = undefined;
    this.log.info("there are file descriptors for connections again");
  }

  private isProbeRefused(): boolean {
    try {
      (this.parts.probe ?? takeOne)();
      return false;
    } catch (error) {
      return isOutOfDescriptors(error);
    }
  }
}

function takeOne(): void {
  closeSync(openSync(devNull, "r"));
}
