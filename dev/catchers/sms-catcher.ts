import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { codeIn, toldCode } from "./code-in.js";

const MOST_BYTES = 64 * 1024;

/** A short message that somebody was sent. */
export interface CaughtSms {
  readonly to: string;
  readonly text: string;
  readonly code: string | undefined;
}

/** Takes the messages of the `webhook` sender, and delivers none. `sms` is emitted for each. */
export class SmsCatcher extends EventEmitter<{ sms: [CaughtSms] }> {
  private readonly server = createServer(async (request, response) => {
    const sms = await read(request).catch(() => undefined);
    if (sms !== undefined) this.emit("sms", sms);
    response.writeHead(sms === undefined ? 400 : 204).end();
  });

  /** @returns the port, of use when 0 asked for a free one */
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

/** What the terminal says of it. */
export function smsLine({ to, code }: CaughtSms): string {
  return `Caught an SMS to ${to}: ${toldCode(code)}`;
}

/** @throws when it is no message of the `webhook` sender, or longer than any */
async function read(request: IncomingMessage): Promise<CaughtSms> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`a message may have ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  const { data } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const { to, text } = data;
  if (typeof to !== "string" || typeof text !== "string") throw new Error("a message has a recipient and a text");
  return { to, text, code: codeIn(text) };
}
