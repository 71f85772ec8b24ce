import { DeliveryError } from "../../../otp/delivery/delivery.js";
import type { SmtpTransport } from "./transport.js";

/**
 * A semaphore that hands out transports, each to one send at a time.
 *
 * The transport that was used last is handed out first. In quiet times the others stay idle, and nodemailer closes their
 * connections. Sends that have to wait get a transport in their order of arrival. A send leaves the queue when its signal aborts.
 *
 * No package offers this with less code. p-limit, async-sema and async-mutex cannot remove a single waiter. p-queue rejects a
 * running send when its signal aborts, before the send can tell whether the mail may have gone. tarn sets a timer of its own for
 * each hand-out, and its pool closes idle resources only after the busy ones.
 */
export class TransportPool {
  private readonly idle: SmtpTransport[] = [];
  private readonly waiting: Waiter[] = [];
  private size = 0;
  private isClosed = false;

  /** @param max how many transports there may be, which is also how many connections */
  constructor(
    private readonly max: number,
    private readonly create: () => SmtpTransport,
  ) {}

  /**
   * Calls `send` with a transport as soon as one is free.
   *
   * @throws DeliveryError if the signal aborts or the pool closes before a transport is free; also throws what `send` throws
   */
  async use(signal: AbortSignal, send: (transport: SmtpTransport) => Promise<void>): Promise<void> {
    const transport = await this.take(signal);
    try {
      await send(transport);
    } finally {
      this.putBack(transport);
    }
  }

  /** Closes idle transports at once and busy ones after their send. Sends that still wait for a transport fail. */
  close(): void {
    this.isClosed = true;
    for (const transport of this.idle.splice(0)) transport.close();
    for (const waiter of this.waiting.splice(0)) waiter.fail("ECONNECTION");
  }

  private async take(signal: AbortSignal): Promise<SmtpTransport> {
    if (this.isClosed) throw notSent("ECONNECTION");
    if (signal.aborted) throw notSent("EABORT");
    const idle = this.idle.pop();
    if (idle !== undefined) return idle;
    if (this.size === this.max) return this.wait(signal);
    this.size++;
    return this.create();
  }

  private wait(signal: AbortSignal): Promise<SmtpTransport> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        reject(notSent("EABORT"));
      };
      const waiter: Waiter = {
        serve: (transport) => {
          signal.removeEventListener("abort", abort);
          resolve(transport);
        },
        fail: (code) => {
          signal.removeEventListener("abort", abort);
          reject(notSent(code));
        },
      };
      this.waiting.push(waiter);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  private putBack(transport: SmtpTransport): void {
    const next = this.waiting.shift();
    if (this.isClosed) transport.close();
    else if (next === undefined) this.idle.push(transport);
    else next.serve(transport);
  }
}

interface Waiter {
  serve(transport: SmtpTransport): void;
  fail(code: FaultCode): void;
}

/** Nodemailer's codes for an aborted send and for a closed pool. */
type FaultCode = "EABORT" | "ECONNECTION";

function notSent(code: FaultCode): DeliveryError {
  return new DeliveryError(`SMTP fault ${code}`, "outage");
}
