/** Wakes one sleeper. A ring while no one sleeps is kept for the next sleep. */
export class Bell {
  private isRung = false;
  private wake: (() => void) | undefined;

  readonly ring = (): void => {
    this.isRung = true;
    this.wake?.();
  };

  /** Resolves on a ring, after `ms`, or when the signal aborts, whichever comes first. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.isRung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS));
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener("abort", this.wake, { once: true });
      });
      if (this.wake !== undefined) signal.removeEventListener("abort", this.wake);
      this.wake = undefined;
    }
    this.isRung = false;
  }
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;
