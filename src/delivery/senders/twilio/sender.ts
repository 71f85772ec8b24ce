import type { Sender, Sms } from "../../sender.js";
import { field, HttpClient, parseJson } from "../http-client.js";
import { twilioFault } from "./faults.js";
import { CONNECTION_OVERRIDES } from "./receipts.js";

const MAX_VALIDITY_SECONDS = 36_000;

/**
 * Sends through Twilio's Messages resource.
 *
 * https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
 */
export class TwilioSender implements Sender<Sms> {
  readonly name = "twilio";
  private readonly http: HttpClient;
  private readonly authorization: string;
  private readonly origin: { readonly From: string } | { readonly MessagingServiceSid: string };
  private readonly publicUrl: string | undefined;

  /**
   * @param baseUrl the base URL of Twilio's API, without a trailing slash
   * @param from a number, a sender ID, or the SID of a messaging service
   * @param publicUrl the URL at which Twilio reaches us, without a trailing slash; if undefined, the sender requests no receipts
   */
  constructor(parts: {
    readonly baseUrl: string;
    readonly accountSid: string;
    readonly authToken: string;
    readonly from: string;
    readonly publicUrl?: string | undefined;
  }) {
    const { baseUrl, accountSid, authToken, from, publicUrl } = parts;
    this.http = new HttpClient("Twilio", new URL(`${baseUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`));
    this.authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`;
    this.origin = /^MG[0-9a-f]{32}$/i.test(from) ? { MessagingServiceSid: from } : { From: from };
    this.publicUrl = publicUrl;
  }

  async send({ address, text, reference, leftMs }: Sms, signal: AbortSignal): Promise<void> {
    const form = new URLSearchParams({
      To: address,
      ...this.origin,
      Body: text,
      ValidityPeriod: String(validitySeconds(leftMs)),
      ...(this.publicUrl !== undefined && {
        StatusCallback: `${this.publicUrl}/providers/twilio/status?ref=${reference}${CONNECTION_OVERRIDES}`,
      }),
    });
    const headers = { Authorization: this.authorization, "Content-Type": "application/x-www-form-urlencoded" };
    const answer = await this.http.post(headers, form.toString(), signal);
    if (answer.status === 201) return; // created; nothing here needs the body

    const code = field(parseJson(answer.body), "code");
    if (typeof code !== "number") throw this.http.refusal(answer);
    throw this.http.refusal(answer, code, twilioFault(code));
  }

  close(): void {
    this.http.close();
  }
}

/** How long Twilio may keep a message in its queue: from 1 second to 10 hours (https://www.twilio.com/docs/api/errors/90007). */
function validitySeconds(leftMs: number): number {
  return Math.min(MAX_VALIDITY_SECONDS, Math.max(1, Math.floor(leftMs / 1000)));
}
