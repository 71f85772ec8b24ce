import { setTimeout as sleep } from "node:timers/promises";
import { AddressBook } from "./addresses.js";
import { otherThan } from "./attempts.js";
import type { Caller } from "./caller.js";
import type { MailSink } from "./sink.js";

/** The number of addresses. Each logs in again only after all the others, so that its stored data has expired by then. */
const PEOPLE = 200_000;
const TICK_MS = 5;

/** People who log in: each requests a code, receives the mail, mistypes the code once, and then types it correctly. */
export class Logins {
  /** The number of successful logins. */
  done = 0;
  private begun = 0;
  private failure: unknown;
  private readonly people = new AddressBook().next(PEOPLE);
  private readonly waiting = new Map<string, (code: string) => void>();

  constructor(
    private readonly caller: Caller,
    sink: MailSink,
  ) {
    sink.on("mail", (address, content) => this.waiting.get(address)?.(codeIn(content)));
  }

  /** Keeps this many logins running at once. @returns logins per second */
  async measure(atOnce: number, seconds: number): Promise<number> {
    const before = this.done;
    const until = performance.now() + 1000 * seconds;
    const loop = async () => {
      while (performance.now() < until) await this.logIn();
    };
    await Promise.all(Array.from({ length: atOnce }, loop));
    return (this.done - before) / seconds;
  }

  /** Starts logins at an even rate, no matter whether earlier ones have ended. @throws the error of the first login that fails */
  async pace(perSecond: number, ms: number): Promise<void> {
    const start = performance.now();
    for (let started = 0; performance.now() < start + ms; await sleep(TICK_MS)) {
      const due = ((performance.now() - start) / 1000) * perSecond;
      for (; started < due; started++) {
        this.logIn().catch((error: unknown) => {
          this.failure ??= error;
        });
      }
      if (this.failure !== undefined) throw this.failure;
    }
  }

  private async logIn(): Promise<void> {
    const address = this.people[this.begun++ % PEOPLE] ?? "";
    const mailed = new Promise<string>((resolve) => this.waiting.set(address, resolve));
    const token = await this.caller.generate(address);
    const code = await mailed;
    this.waiting.delete(address);
    if (await this.caller.verify(token, otherThan(code))) throw new Error("a wrong code was accepted");
    if (!(await this.caller.verify(token, code))) throw new Error("a correct code was refused");
    this.done++;
  }
}

/** Finds the code, which is alone on a line of the text. */
function codeIn(mail: string): string {
  return /^\s*(\d{6})\s*$/m.exec(mail)?.[1] ?? "";
}
