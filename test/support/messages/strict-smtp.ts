import { EventEmitter, once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** A step of a session that the server may refuse. `END` is the reply after the content of a mail. */
export type Verb = "GREETING" | "EHLO" | "AUTH" | "MAIL" | "RCPT" | "DATA" | "END";

/** A connection as the rules of a server see it. */
export interface Session {
  /** How many mails were begun on it, with the present one. */
  readonly mails: number;
  /** How many connections are open, with this one. */
  readonly open: number;
  /** How many steps of this kind there were on all connections, with this one. */
  readonly count: number;
}

/** @returns the reply that refuses the step, if it is refused. A 421 ends the connection. */
export type Rule = (verb: Verb, session: Session) => string | undefined | Promise<string | undefined>;

const REPLIES: Readonly<Record<Verb, string>> = {
  GREETING: "220 strict.example ESMTP",
  EHLO: "250-strict.example\r\n250-AUTH PLAIN\r\n250 PIPELINING",
  AUTH: "235 2.7.0 welcome",
  MAIL: "250 2.1.0 go on",
  RCPT: "250 2.1.5 go on",
  DATA: "354 go on",
  END: "250 2.0.0 taken",
};

/** A mail server on a socket that keeps to rules as real ones do: limits, delays, refusals. It emits `mail` with each recipient. */
export class StrictSmtp extends EventEmitter<{ mail: [string] }> {
  /** The recipients of the mails that it has accepted, in order. */
  readonly taken: string[] = [];
  readonly counts: Record<Verb, number> = { GREETING: 0, EHLO: 0, AUTH: 0, MAIL: 0, RCPT: 0, DATA: 0, END: 0 };
  rule: Rule = () => undefined;
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((socket) => void this.serve(socket).catch(() => socket.destroy()));

  async start(): Promise<this> {
    this.setMaxListeners(0);
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return this;
  }

  /** @param login `user:password`, if the client is to log in */
  url(login = ""): string {
    const { port } = this.server.address() as AddressInfo;
    return `smtp://${login && `${login}@`}127.0.0.1:${port}`;
  }

  /** Resolves once it has taken so many mails. */
  async tookMails(count: number): Promise<void> {
    while (this.taken.length < count) await once(this, "mail");
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async serve(socket: Socket): Promise<void> {
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.sockets.delete(socket));
    let mails = 0;
    const say = async (verb: Verb): Promise<boolean> => {
      const count = ++this.counts[verb];
      const refusal = await this.rule(verb, { mails, open: this.sockets.size, count });
      socket.write(`${refusal ?? REPLIES[verb]}\r\n`);
      if (refusal?.startsWith("421")) socket.end();
      return refusal === undefined;
    };

    if (!(await say("GREETING"))) return;
    let to = "";
    let isRecipient = false;
    let isContent = false;
    for await (const line of linesOf(socket)) {
      if (socket.writableEnded) return;
      if (isContent) {
        if (line !== ".") continue;
        isContent = false;
        if (!(await say("END"))) continue;
        this.taken.push(to);
        this.emit("mail", to);
        continue;
      }
      const [verb = ""] = line.toUpperCase().split(/[ :]/, 1);
      if (verb === "EHLO" || verb === "AUTH") await say(verb);
      else if (verb === "MAIL") {
        mails++;
        isRecipient = false;
        await say(verb);
      } else if (verb === "RCPT") {
        to = /<(.*)>/.exec(line)?.[1] ?? "";
        isRecipient = await say(verb);
      } else if (verb === "DATA") {
        if (isRecipient) isContent = await say(verb);
        else socket.write("503 5.5.1 no recipient\r\n");
      } else if (verb === "QUIT") {
        socket.end("221 bye\r\n");
        return;
      } else socket.write("250 2.0.0 ok\r\n");
    }
  }
}

async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of socket.setEncoding("latin1")) {
    const lines = `${rest}${chunk}`.split("\r\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
