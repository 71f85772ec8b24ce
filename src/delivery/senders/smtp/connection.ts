import { Readable } from "node:stream";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { DeliveryError } from "../../../otp/delivery/delivery.js";
import { faultOfSmtp } from "./faults.js";
import type { MailServer } from "./mail-server.js";

/** A TCP connection takes a round trip. A greeting may take long: servers delay it to keep spammers away. */
const CONNECT_MS = 10_000;
const GREETING_MS = 45_000;
/** From the first packet to the end of the login. It also bounds how long the server may be silent later on. */
const OPENING_MS = 60_000;

/** A message that is already written (RFC 5322), with the addresses for MAIL FROM and RCPT TO. */
export interface WrittenMail {
  readonly from: string;
  readonly to: string;
  readonly content: Buffer;
}

/** A connection to a mail server (RFC 5321) that is ready for mail. It takes one mail at a time. */
export class SmtpConnection {
  /** How many mails the server has accepted on it. */
  carried = 0;

  private constructor(private readonly session: SMTPConnection) {}

  /**
   * Connects, waits for the greeting, switches to TLS and logs in.
   *
   * @param signal closes a connection that is not ready yet
   * @throws DeliveryError
   */
  static open({ options, auth }: MailServer, signal: AbortSignal): Promise<SmtpConnection> {
    const session = new SMTPConnection({
      ...options,
      connectionTimeout: OPENING_MS,
      greetingTimeout: GREETING_MS,
      socketTimeout: OPENING_MS,
    });
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(connectTimer);
        clearTimeout(openingTimer);
        signal.removeEventListener("abort", abort);
      };
      const fail = (error: unknown) => {
        settle();
        reject(toDeliveryError(error, false));
        session.close();
      };
      const abort = () => fail(withCode("EABORT"));
      const ready = () => {
        settle();
        resolve(new SmtpConnection(session));
      };
      const connectTimer = setTimeout(() => session.stage === "init" && fail(withCode("ETIMEDOUT")), CONNECT_MS);
      const openingTimer = setTimeout(() => fail(withCode("ETIMEDOUT")), OPENING_MS);
      signal.addEventListener("abort", abort, { once: true });
      session.on("error", fail);
      session.once("end", () => fail(withCode("ECONNECTION")));
      session.connect((error) => {
        if (error) fail(error);
        else if (auth === undefined || !session.allowsAuth) ready();
        else session.login(auth, (refused) => (refused ? fail(refused) : ready()));
      });
    });
  }

  /** Whether it can take another mail. The server may have closed it. */
  get isOpen(): boolean {
    return !this.session.destroyed;
  }

  /** Calls `listener` once the connection has closed. */
  onClose(listener: () => void): void {
    this.session.once("end", listener);
  }

  /** @throws DeliveryError */
  async send({ from, to, content }: WrittenMail, signal: AbortSignal): Promise<void> {
    if (!this.isOpen) throw new DeliveryError("SMTP fault ECONNECTION", "connection"); // it closed after it had been handed out
    // The session reads the stream only once the server has accepted DATA, so whether it was read tells whether the server may have
    // the mail.
    const raw = Readable.from(content, { objectMode: false });
    let abort: () => void = () => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        abort = () => {
          this.session.close();
          reject(withCode("EABORT"));
        };
        if (signal.aborted) return abort();
        signal.addEventListener("abort", abort, { once: true });
        this.session.send({ from, to }, raw, (error) => (error ? reject(error) : resolve()));
      });
      this.carried++;
    } catch (error) {
      if (!isAboutTheMail(error)) this.session.close();
      const failure = toDeliveryError(error, raw.readableDidRead);
      // A server may close a connection that was idle. That shows only when the next mail uses it.
      const isStale = this.carried > 0 && !failure.mayHaveGone && isBroken(error);
      throw isStale ? new DeliveryError(failure.message, "connection") : failure;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Prepares the connection for the next mail after the server has refused one. @returns whether it can take one */
  async reset(): Promise<boolean> {
    if (!this.isOpen) return false;
    const isReset = await new Promise<boolean>((resolve) => {
      const ended = () => resolve(false);
      this.session.once("end", ended);
      this.session.reset((error) => {
        this.session.off("end", ended);
        resolve(!error);
      });
    });
    if (!isReset) this.session.close();
    return isReset;
  }

  /** Says goodbye to the server and closes the connection. */
  close(): void {
    if (this.isOpen) this.session.quit();
  }
}

/** Whether the server refused this mail, so that the session can go on with the next one. */
function isAboutTheMail(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EENVELOPE" || code === "EMESSAGE";
}

/** Whether the connection broke, as opposed to a timeout. */
function isBroken(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ECONNECTION" || code === "ESOCKET";
}

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Keeps the codes of an SMTP error and drops its text, because servers often repeat the address in it. */
function toDeliveryError(error: unknown, wasRead: boolean): DeliveryError {
  if (!(error instanceof Error)) return new DeliveryError("SMTP fault", "outage", { mayHaveGone: wasRead });
  const { reply, enhanced, code, fault } = faultOfSmtp(error);
  if (reply !== undefined) return new DeliveryError(`SMTP reply ${reply}${enhanced ? ` ${enhanced}` : ""}`, fault);
  return new DeliveryError(`SMTP fault ${code}`, fault, { mayHaveGone: wasRead });
}
