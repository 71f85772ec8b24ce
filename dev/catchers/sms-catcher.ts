import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { caught, codeIn } from "./code-in.js";

const MAX_BYTES = 64 * 1024;

/** A caught SMS. */
export interface CaughtSms {
  readonly to: string;
  readonly text: string;
  readonly code: string | undefined;
}

/**
 * Accepts the messages of the `webhook` sender, delivers none, and emits `sms` for each. A message whose signature is wrong gets 401.
 */
export class SmsCatcher extends EventEmitter<{ sms: [CaughtSms] }> {
  private readonly server = createServer(async (request, response) => {
    const sms = await this.read(request).catch((error: unknown) => {
      response.writeHead(error instanceof WebhookVerificationError ? 401 : 400).end();
    });
    if (sms === undefined) return;
    this.emit("sms", sms);
    response.writeHead(204).end();
  });
  private readonly webhook: Webhook;

  /** @param secret the `SMS_WEBHOOK_SECRET` of the sender, in the form `whsec_` and base64 */
  constructor(secret: string) {
    super();
    this.webhook = new Webhook(secret);
  }

  /** @returns the port, which differs from the given one if that is 0 */
  async listen(host: string, port: number): Promise<number> {
    this.server.listen(port, host);
    await once(this.server, "listening");
    const address = this.server.address();
    if (typeof address !== "object" || address === null) throw new Error("the SMS catcher has no port");
    return address.port;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** @throws WebhookVerificationError when the signature is wrong; another error when the body is not a message of the sender */
  private async read(request: IncomingMessage): Promise<CaughtSms> {
    const body = await readBody(request);
    const signed = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    this.webhook.verify(body, Object.fromEntries(signed.map((name) => [name, String(request.headers[name] ?? "")])));
    const { to, text } = JSON.parse(body).data;
    if (typeof to !== "string" || typeof text !== "string") throw new Error("a message needs a recipient and a text");
    return { to, text, code: codeIn(text) };
  }
}

/** The terminal's line about an SMS. */
export function smsLine({ to, code }: CaughtSms): string {
  return caught("an SMS", to, code);
}

/** @throws when the body is too long */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`a message may have at most ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
