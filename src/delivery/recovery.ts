import { EventEmitter } from "node:events";

/** Tells the deliveries of a channel that a sender works again. */
export class Recovery {
  private readonly events = new EventEmitter<{ recovered: [] }>().setMaxListeners(0);

  announce(): void {
    this.events.emit("recovered");
  }

  onRecovery(listener: () => void): void {
    this.events.on("recovered", listener);
  }

  /** Resolves upon a recovery, after `ms`, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.events.off("recovered", end);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.events.once("recovered", end);
      signal.addEventListener("abort", end, { once: true });
    });
  }
}
