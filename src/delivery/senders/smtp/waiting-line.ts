import { DeliveryError } from "../../../otp/delivery/delivery.js";

/** Sends that wait for something, in their order of arrival. A send leaves the line when its signal aborts. */
export class WaitingLine<Thing> {
  private readonly waiters: Waiter<Thing>[] = [];

  get length(): number {
    return this.waiters.length;
  }

  /** @throws DeliveryError when the signal aborts or `failAll` is called first */
  join(signal: AbortSignal): Promise<Thing> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
        reject(notSent("EABORT"));
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

  failAll(error: DeliveryError): void {
    for (const waiter of this.waiters.splice(0)) waiter.fail(error);
  }
}

interface Waiter<Thing> {
  serve(thing: Thing): void;
  fail(error: DeliveryError): void;
}

/** The failure of a send that never began. The codes are those of nodemailer for an aborted send and for a closed pool. */
export function notSent(code: "EABORT" | "ECONNECTION"): DeliveryError {
  return new DeliveryError(`SMTP fault ${code}`, "outage");
}
