import { HttpClient } from "../http.js";
import { field, parseJson } from "../json.js";
import type { Sender, Sms } from "../sender.js";
import { twilioFault } from "./twilio-faults.js";

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
   * @param from a number, a sender id, or the SID of a messaging service
   * @param apiKey what to log in with in the place of the account's own token
   * @param publicUrl where Twilio reaches us, without a slash at its end; without it no receipts are asked for
   */
  constructor(parts: {
    readonly baseUrl?: string | undefined;
    readonly accountSid: string;
    readonly authToken: string;
    readonly apiKey?: { readonly sid: string; readonly secret: string } | undefined;
    readonly from: string;
    readonly publicUrl?: string | undefined;
  }) {
    const { baseUrl = "https://api.twilio.com", accountSid, authToken, apiKey, from, publicUrl } = parts;
    this.http = new HttpClient("Twilio", new URL(`/2010-04-01/Accounts/${accountSid}/Messages.json`, baseUrl));
    const login = apiKey ? `${apiKey.sid}:${apiKey.secret}` : `${accountSid}:${authToken}`;
    this.authorization = `Basic ${Buffer.from(login).toString("base64")}`;
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
        StatusCallback: `${this.publicUrl}/providers/twilio/status?ref=${reference}`,
      }),
    });
    const headers = { Authorization: this.authorization, "Content-Type": "application/x-www-form-urlencoded" };
    const answer = await this.http.post(headers, form.toString(), signal);
    if (answer.status === 201) return; // it is created: what else the body says, nobody here needs

    const code = field(parseJson(answer.body), "code");
    if (typeof code !== "number") throw this.http.refusal(answer);
    throw this.http.refusal(answer, code, twilioFault(code));
  }

  close(): void {
    this.http.close();
  }
}

/** How long Twilio may keep it in its queue: from 1 second to 10 hours (https://www.twilio.com/docs/api/errors/90007). */
function validitySeconds(leftMs: number): number {
  return Math.min(MAX_VALIDITY_SECONDS, Math.max(1, Math.floor(leftMs / 1000)));
}
