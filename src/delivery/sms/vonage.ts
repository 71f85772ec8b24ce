import { HttpClient } from "../http.js";
import { parseJson } from "../json.js";
import type { Sender, Sms } from "../sender.js";
import { vonageCode, vonageFault } from "./vonage-faults.js";

const MIN_TTL_SECONDS = 30 * 60;

/**
 * Sends through Vonage's Messages API, version 1.
 *
 * https://developer.vonage.com/en/api/messages#SendMessage
 */
export class VonageSender implements Sender<Sms> {
  readonly name = "vonage";
  private readonly http: HttpClient;
  private readonly authorization: string;
  private readonly from: string;
  private readonly publicUrl: string | undefined;

  /**
   * @param from a number, or a sender id
   * @param publicUrl where Vonage reaches us, without a slash at its end; without it receipts go where the account says
   */
  constructor(parts: {
    readonly baseUrl?: string | undefined;
    readonly apiKey: string;
    readonly apiSecret: string;
    readonly from: string;
    readonly publicUrl?: string | undefined;
  }) {
    const { baseUrl = "https://api.nexmo.com", apiKey, apiSecret, from, publicUrl } = parts;
    this.http = new HttpClient("Vonage", new URL("/v1/messages", baseUrl));
    this.authorization = `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString("base64")}`;
    this.from = withoutPlus(from);
    this.publicUrl = publicUrl;
  }

  async send({ address, text, reference, leftMs }: Sms, signal: AbortSignal): Promise<void> {
    const message = {
      message_type: "text",
      channel: "sms",
      to: withoutPlus(address),
      from: this.from,
      text,
      sms: { encoding_type: "auto" },
      ttl: Math.max(MIN_TTL_SECONDS, Math.ceil(leftMs / 1000)), // Vonage advises against less than 30 minutes
      client_ref: reference,
      ...(this.publicUrl !== undefined && {
        webhook_url: `${this.publicUrl}/providers/vonage/status`,
        webhook_version: "v1",
      }),
    };
    const headers = {
      Authorization: this.authorization,
      "Content-Type": "application/json",
      Accept: "application/json",
    };
    const answer = await this.http.post(headers, JSON.stringify(message), signal);
    if (answer.status === 202) return;

    const problem = parseJson(answer.body);
    throw this.http.refusal(answer, vonageCode(problem), vonageFault(problem));
  }

  close(): void {
    this.http.close();
  }
}

/** Vonage takes E.164 without its plus. */
function withoutPlus(number: string): string {
  return number.replace(/^\+/, "");
}
