import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { codeIn, codeNote } from "./code-in.js";

const MAX_BYTES = 64 * 1024;

/** A caught SMS. */
export interface CaughtSms {
  readonly to: string;
  readonly text: string;
  readonly code: string | undefined;
}

/** Accepts the messages of the `webhook` sender, delivers none, and emits `sms` for each. */
export class SmsCatcher extends EventEmitter<{ sms: [CaughtSms] }> {
  private readonly server = createServer(async (request, response) => {
    const sms = await read(request).catch(() => undefined);
    if (sms !== undefined) this.emit("sms", sms);
    response.writeHead(sms === undefined ? 400 : 204).end();
  });

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
}

/** The terminal's line about an SMS. */
export function smsLine({ to, code }: CaughtSms): string {
  return `Caught an SMS to ${to}: ${codeNote(code)}`;
}

/** @throws when the body is not a message of the `webhook` sender, or is too long */
async function read(request: IncomingMessage): Promise<CaughtSms> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`a message may have at most ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  const { data } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const { to, text } = data;
  if (typeof to !== "string" || typeof text !== "string") throw new Error("a message needs a recipient and a text");
  return { to, text, code: codeIn(text) };
}
