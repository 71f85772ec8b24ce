import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";

/** A short message that somebody was sent. */
export interface CaughtSms {
  readonly to: string;
  readonly text: string;
  readonly code: string | undefined;
}

/** Takes the messages of the `webhook` sender, and delivers none. `sms` is emitted for each. */
export class SmsCatcher extends EventEmitter<{ sms: [CaughtSms] }> {
  private readonly server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { data } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    response.writeHead(204).end();
    const text = String(data.text);
    this.emit("sms", { to: String(data.to), text, code: /(?<!\d)\d{6,10}(?!\d)/.exec(text)?.[0] });
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

/** Says on the terminal what was caught. */
export function printSms({ to, code }: CaughtSms): void {
  console.log(`Caught an SMS to ${to}: the code is ${code}`);
}
