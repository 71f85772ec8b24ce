import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { OtpService } from "../../../src/gen/otp/v1/otp_service_pb.js";
import type { Channel } from "../settings.js";
import { type Refusal, refusalOf } from "./refusal.js";

/** Whom a code is for. */
export interface Recipient {
  readonly channel: Channel;
  readonly address: string;
}

/** A code that is on its way. */
export interface Accepted {
  readonly outcome: "accepted";
  readonly token: string;
  /** When the next one can be asked for, and when nothing of this one is good any more, in Unix milliseconds. */
  readonly resendAt: number;
  readonly overAt: number;
}

export interface Refused {
  readonly outcome: "refused";
  readonly refusal: Refusal;
}

/** The client that is generated from the proto; Watch is read with it as it is. */
export type OtpClient = Client<typeof OtpService>;

/** No answer by then is none. */
const TIMEOUT_MS = 15_000;
/** How often a request is looked for that is under way already: it was begun before a reload, or in another tab. */
const LOOKS = 10;

/** Generate and Verify as the page needs them: what can be expected to happen is a value, and nothing is thrown. */
export class OtpApi {
  constructor(
    readonly client: OtpClient,
    private readonly now: () => number,
  ) {}

  /** @param key the idempotency key: asking again with the same one sends nothing more */
  async generate(recipient: Recipient, locale: string, key: string): Promise<Accepted | Refused> {
    for (let look = 1; ; look++) {
      const answer = await this.generateOnce(recipient, locale, key);
      if (answer.outcome === "accepted" || answer.refusal.reason !== "IDEMPOTENCY_KEY_IN_USE" || look === LOOKS)
        return answer;
      const { retryAt = this.now() } = answer.refusal;
      await new Promise((resolve) => setTimeout(resolve, retryAt - this.now()));
    }
  }

  async verify(token: string, otp: string): Promise<{ readonly outcome: "correct" } | Refused> {
    try {
      await this.client.verify({ subject: { case: "token", value: token }, otp }, { timeoutMs: TIMEOUT_MS });
      return { outcome: "correct" };
    } catch (thrown) {
      return { outcome: "refused", refusal: refusalOf(thrown, this.now()) };
    }
  }

  private async generateOnce(
    { channel, address }: Recipient,
    locale: string,
    key: string,
  ): Promise<Accepted | Refused> {
    const recipient =
      channel === "email" ? ({ case: "email", value: address } as const) : ({ case: "phone", value: address } as const);
    try {
      const { token, ttl, resendAfter } = await this.client.generate(
        { recipient, locale },
        { headers: { "Idempotency-Key": key }, timeoutMs: TIMEOUT_MS },
      );
      const now = this.now();
      // A token serves for two lives of a code.
      const overAt = now + 2 * secondsOf(ttl) * 1000;
      return { outcome: "accepted", token, resendAt: now + secondsOf(resendAfter) * 1000, overAt };
    } catch (thrown) {
      return { outcome: "refused", refusal: refusalOf(thrown, this.now()) };
    }
  }
}

/** Calls the server that the page came from. */
export function createOtpClient(): OtpClient {
  const baseUrl = new URL(".", document.baseURI).href;
  return createClient(OtpService, createConnectTransport({ baseUrl }));
}

function secondsOf(duration: { readonly seconds: bigint; readonly nanos: number } | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) + duration.nanos / 1e9;
}
