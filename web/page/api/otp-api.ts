import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { OtpService } from "../../../src/gen/otp/v1/otp_service_pb.js";
import type { Channel } from "../settings.js";
import { type Refusal, refusalOf } from "./refusal.js";

/** The address that a code is sent to. */
export interface Recipient {
  readonly channel: Channel;
  readonly address: string;
}

/** The service accepted the request and will send a code. */
export interface Accepted {
  readonly outcome: "accepted";
  readonly token: string;
  /** Shows the steps of this request, but verifies nothing. */
  readonly watchToken: string;
  /** When the next request is allowed, and when this token is no longer valid, in Unix milliseconds. */
  readonly resendAt: number;
  readonly overAt: number;
}

export interface Refused {
  readonly outcome: "refused";
  readonly refusal: Refusal;
}

/** The client generated from the proto. Watch uses it directly. */
export type OtpClient = Client<typeof OtpService>;

const TIMEOUT_MS = 15_000;
/** How often a request is repeated while the same one is still in progress, from before a reload or in another tab. */
const MAX_CALLS = 10;

/** Generate and Verify as the page needs them: every outcome is a value, and nothing is thrown. */
export class OtpApi {
  constructor(
    readonly client: OtpClient,
    private readonly now: () => number,
  ) {}

  /** @param key the idempotency key: repeating a request with the same key sends nothing more */
  async generate(recipient: Recipient, locale: string, key: string): Promise<Accepted | Refused> {
    for (let calls = 1; ; calls++) {
      const answer = await this.generateOnce(recipient, locale, key);
      if (answer.outcome === "accepted" || answer.refusal.reason !== "IDEMPOTENCY_KEY_IN_USE" || calls === MAX_CALLS)
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
      const { token, watchToken, ttl, resendAfter } = await this.client.generate(
        { recipient, locale },
        { headers: { "Idempotency-Key": key }, timeoutMs: TIMEOUT_MS },
      );
      const now = this.now();
      // A token is valid for twice the lifetime of a code.
      const overAt = now + 2 * secondsOf(ttl) * 1000;
      const resendAt = now + secondsOf(resendAfter) * 1000;
      return { outcome: "accepted", token, watchToken: watchToken || token, resendAt, overAt };
    } catch (thrown) {
      return { outcome: "refused", refusal: refusalOf(thrown, this.now()) };
    }
  }
}

/** Calls the server that served the page. */
export function createOtpClient(): OtpClient {
  const baseUrl = new URL(".", document.baseURI).href;
  return createClient(OtpService, createConnectTransport({ baseUrl }));
}

function secondsOf(duration: { readonly seconds: bigint; readonly nanos: number } | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) + duration.nanos / 1e9;
}
