import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A call as the provider received it. */
export interface Call {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  /** A header by its lower-case name. */
  header(name: string): string;
}

/** A message that a provider received. */
export interface ProviderMessage {
  readonly to: string;
  readonly text: string;
  /** What the provider repeats in its receipts. */
  readonly reference: string | undefined;
  /** The URL to which its receipts go. */
  readonly callback: string | undefined;
  /** The code in it. */
  readonly code: string;
  readonly call: Call;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * What happens to a message:
 *
 * - `take`: the provider takes it.
 * - `slow`: the provider takes it after a while.
 * - `throttle`: the answer is 429.
 * - `fail`: the answer has this status.
 * - `reject`: the number or address takes no messages.
 * - `hang`: the provider reads it and never answers.
 * - `cut`: the provider takes it, and the connection breaks in the middle of the answer.
 * - `drop`: the provider reads it, and the connection breaks before the answer.
 */
export type ProviderBehaviour =
  | { readonly at: "take" | "reject" | "hang" | "cut" | "drop" }
  | { readonly at: "slow"; readonly ms: number }
  | { readonly at: "throttle"; readonly retryAfter?: string }
  | { readonly at: "fail"; readonly status: number };

/** The protocol of a provider. */
export interface Protocol {
  /** The message in a call, or the answer to an invalid call. */
  read(call: Call): Omit<ProviderMessage, "call" | "code"> | Reply;
  taken(message: ProviderMessage): Reply;
  rejected(message: ProviderMessage): Reply;
  throttled(): Reply;
  failed(status: number): Reply;
}

/**
 * A real HTTP server that stands in for a provider: it speaks the documented protocol and keeps the messages that it receives. For each
 * of them it emits `received` before any answer, and `message` after the answer or after it has decided not to answer.
 */
export class StandIn extends EventEmitter<{ received: [ProviderMessage]; message: [ProviderMessage] }> {
  /** The messages that it read in full and did not answer with an error. A real provider may deliver a message that it did not answer. */
  readonly messages: ProviderMessage[] = [];
  /** How many connections were opened. */
  connections = 0;
  /** How many calls were received, valid or not. */
  calls = 0;
  /** What happens to the next messages, in order. `behaviour` applies to the messages after them. */
  readonly script: ProviderBehaviour[] = [];
  behaviour: ProviderBehaviour = { at: "take" };

  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private port = 0;

  constructor(private readonly protocol: Protocol) {
    super();
    this.setMaxListeners(0); // one for each test that waits for a message
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens. After a stop, it listens on the same port again. */
  async start(): Promise<this> {
    const server = createServer((request, response) => void this.handle(request, response));
    server.on("connection", (socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
    server.listen(this.port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address === "object" && address) this.port = address.port;
    this.server = server;
    return this;
  }

  /** Breaks all connections and refuses new ones, as when the provider is down. */
  async stop(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Resolves when no client is connected. */
  async disconnected(): Promise<void> {
    for (const socket of this.sockets) if (!socket.closed) await once(socket, "close");
  }

  messagesTo(to: string): readonly ProviderMessage[] {
    return this.messages.filter((message) => message.to === to);
  }

  /** Resolves with the nth message to this number or address, from 1, as soon as it arrives. */
  async messageTo(to: string, n = 1): Promise<ProviderMessage> {
    for (;;) {
      const message = this.messagesTo(to)[n - 1];
      if (message !== undefined) return message;
      await once(this, "message");
    }
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on("error", () => undefined); // some tests kill a client
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    this.calls++;
    const call: Call = {
      method: request.method ?? "",
      target: request.url ?? "",
      body: Buffer.concat(chunks).toString("utf8"),
      header: (name) => String(request.headers[name] ?? ""),
    };
    const read = this.protocol.read(call);
    if ("status" in read) return send(response, read);
    const message = { ...read, code: codeIn(read.text), call };
    await this.behave(message, this.script.shift() ?? this.behaviour, response);
  }

  private async behave(message: ProviderMessage, behaviour: ProviderBehaviour, response: ServerResponse) {
    const { protocol } = this;
    switch (behaviour.at) {
      case "reject":
        return send(response, protocol.rejected(message));
      case "fail":
        return send(response, protocol.failed(behaviour.status));
      case "throttle": {
        const { status, body, headers } = protocol.throttled();
        const { retryAfter } = behaviour;
        return send(response, {
          status,
          body,
          headers: { ...headers, ...(retryAfter && { "Retry-After": retryAfter }) },
        });
      }
    }
    this.messages.push(message);
    this.emit("received", message);
    if (behaviour.at === "slow") await new Promise((resolve) => setTimeout(resolve, behaviour.ms));
    if (behaviour.at === "drop") response.socket?.destroy();
    else if (behaviour.at === "cut") cut(response, protocol.taken(message));
    else if (behaviour.at !== "hang") send(response, protocol.taken(message));
    this.emit("message", message);
  }
}

/** In a mail, the code is indented on a line of its own. In an SMS, it is the first long number. */
function codeIn(text: string): string {
  return /^ {4}(\d{6,10})\r?$/m.exec(text)?.[1] ?? /\b\d{6,10}\b/.exec(text)?.[0] ?? "";
}

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** Sends the head and half of the body, then breaks the connection. */
function cut(response: ServerResponse, { status, headers, body }: Reply): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "Content-Type": "application/json", ...headers, "Content-Length": text.length });
  response.write(text.slice(0, text.length / 2), () => response.socket?.destroy());
}
