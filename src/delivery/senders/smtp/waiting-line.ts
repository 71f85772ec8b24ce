import { DeliveryError } from "../../../otp/delivery/delivery.js";

/** Sends that wait for something, in their order of arrival. A send leaves the line when its signal aborts. */
export class WaitingLine<Thing> {
  private readonly waiters: Waiter<Thing>[] = [];

  get length(): number {
    return this.waiters.length;
  }

  /**
   * @param errorOnAbort makes the error when the signal aborts first
   * @throws DeliveryError that error, or the one of `failAll`
   */
  join(signal: AbortSignal, errorOnAbort: () => DeliveryError): Promise<Thing> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
        reject(errorOnAbort());
      };
      const waiter: Waiter<Thing> = {
        serve: (thing) => {
          signal.removeEventListener("abort", leave);
          resolve(thing);
        },
        fail: (error) => {
          signal.removeEventListener("abort", leave);
          reject(error);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.waiters.push(waiter);
    });
  }

  /** Hands a thing to the first in the line. @returns false if no one waits */
  serve(thing: Thing): boolean {
    const first = this.waiters.shift();
    first?.serve(thing);
    return first !== undefined;
  }

  /** Fails the first in the line with this error, and the others with one that counts for nothing. */
  failAll(error: DeliveryError): void {
    const [first, ...others] = this.waiters.splice(0);
    first?.fail(error);
    for (const waiter of others) waiter.fail(new DeliveryError(error.message, "connection"));
  }
}

interface Waiter<Thing> {
  serve(thing: Thing): void;
  fail(error: DeliveryError): void;
}

/** The failure of a send that never began. The codes are those of nodemailer for an aborted send and for a closed pool. */
export function notSent(code: "EABORT" | "ECONNECTION", fault: "outage" | "connection" = "outage"): DeliveryError {
  return new DeliveryError(`SMTP fault ${code}`, fault);
}
