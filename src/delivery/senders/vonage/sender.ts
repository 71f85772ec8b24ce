import type { Sender, Sms } from "../../sender.js";
import { HttpClient, parseJson } from "../http-client.js";
import { vonageCode, vonageFault } from "./faults.js";
import { type VonageApplication, VonageTokens } from "./tokens.js";

const MIN_TTL_SECONDS = 30 * 60;

/**
 * Sends through Vonage's Messages API, version 1.
 *
 * https://developer.vonage.com/en/api/messages#SendMessage
 */
export class VonageSender implements Sender<Sms> {
  readonly name = "vonage";
  private readonly http: HttpClient;
  private readonly authorization: () => string | Promise<string>;
  private readonly from: string;
  private readonly publicUrl: string | undefined;

  /**
   * @param baseUrl the base URL of Vonage's API, without a trailing slash
   * @param application the application that signs in; if undefined, the API key does, and Vonage sends no receipts
   * @param from a number or a sender ID
   * @param publicUrl the URL at which Vonage reaches us, without a trailing slash; if undefined, receipts go to the application's own URL
   * @throws TypeError if the application's private key is not a valid RSA key
   */
  constructor(parts: {
    readonly baseUrl: string;
    readonly apiKey: string;
    readonly apiSecret: string;
    readonly application?: VonageApplication | undefined;
    readonly from: string;
    readonly publicUrl?: string | undefined;
  }) {
    const { baseUrl, apiKey, apiSecret, application, from, publicUrl } = parts;
    this.http = new HttpClient("Vonage", new URL(`${baseUrl}/v1/messages`));
    this.authorization = application === undefined ? basic(apiKey, apiSecret) : bearer(application);
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
      Authorization: await this.authorization(),
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

function basic(apiKey: string, apiSecret: string): () => string {
  const login = Buffer.from(`${apiKey}:${apiSecret}`).toString("base64");
  return () => `Basic ${login}`;
}

/** Basic authentication does not support webhooks: https://developer.vonage.com/en/getting-started/concepts/authentication */
function bearer(application: VonageApplication): () => Promise<string> {
  const tokens = new VonageTokens(application);
  return async () => `Bearer ${await tokens.current()}`;
}

/** Vonage expects E.164 without the plus sign. */
function withoutPlus(number: string): string {
  return number.replace(/^\+/, "");
}
