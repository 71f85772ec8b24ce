import { EventEmitter, once } from "node:events";
import type { Socket } from "node:net";
import { SMTPServer, type SMTPServerSession } from "smtp-server";

/** A mail as the recording server received it. */
export interface RecordedMail {
  /** Identifies the connection over which the mail came. */
  readonly connection: string;
  /** The name by which the client introduced itself. */
  readonly client: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly source: string;
  /** Returns the header field with this name, unfolded. */
  header(name: string): string | undefined;
  /** The code from the text part. */
  readonly code: string;
}

/**
 * What the server does with a mail: it accepts it, refuses it with a reply code at RCPT or after DATA, does not answer, or closes
 * the connection. `enhanced` is the enhanced status code (RFC 2034) before the text of the reply.
 */
export type Behaviour =
  | { readonly at: "take" }
  | { readonly at: "rcpt" | "data"; readonly code: number; readonly enhanced?: string }
  | { readonly at: "hang-on-rcpt" | "hang-after-data" }
  | { readonly at: "drop-on-rcpt" | "drop-after-data" };

const TAKE: Behaviour = { at: "take" };

/**
 * A real SMTP server that records the mails it receives. It emits `rcpt` for each recipient, `mail` for each mail whatever its answer,
 * and `disconnect` when a connection has closed.
 */
export class RecordingSmtp extends EventEmitter<{ mail: [RecordedMail]; rcpt: [string]; disconnect: [] }> {
  readonly mails: RecordedMail[] = [];
  /** How many connections clients have opened so far. */
  connections = 0;
  /** What happens to the next mails, in this order. All later mails are accepted. */
  readonly script: Behaviour[] = [];
  /** The reply codes with which the server refuses every client: in its greeting, to a login, to MAIL FROM. No login succeeds. */
  readonly refuses: { greeting?: number; login?: number; mail?: number } = {};
  private readonly byAddress = new Map<string, RecordedMail[]>();
  private held: Promise<void> = Promise.resolve();
  private port = 0;

  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    onAuth: (_auth, _session, callback) => callback(reply(this.refuses.login ?? 535, "the login")),
    onConnect: (_session, callback) => {
      this.connections++;
      callback(refusal(this.refuses.greeting, "the client"));
    },
    onMailFrom: ({ address }, _session, callback) => callback(refusal(this.refuses.mail, address)),
    onRcptTo: ({ address }, session, callback) => {
      const behaviour = this.script.shift() ?? TAKE;
      behaviours.set(session, behaviour);
      this.emit("rcpt", address);
      if (behaviour.at === "rcpt") callback(reply(behaviour.code, address, behaviour.enhanced));
      else if (behaviour.at === "drop-on-rcpt") this.dropConnections();
      else if (behaviour.at !== "hang-on-rcpt") void this.held.then(() => callback());
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const behaviour = behaviours.get(session) ?? TAKE;
        if (behaviour.at === "data") return callback(reply(behaviour.code, "the message", behaviour.enhanced));
        const mail = record(session, Buffer.concat(chunks).toString("utf8"));
        this.keep(mail);
        if (behaviour.at === "drop-after-data") this.dropConnections();
        else if (behaviour.at !== "hang-after-data") callback();
        this.emit("mail", mail);
      });
    },
  });

  private readonly sockets = new Set<Socket>();

  constructor() {
    super();
    this.setMaxListeners(0); // any number of tests may wait for a mail
  }

  async start(): Promise<this> {
    this.server.on("error", () => undefined); // tests kill clients on purpose
    this.server.server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.once("close", () => {
        this.sockets.delete(socket);
        this.emit("disconnect");
      });
    });
    this.server.listen(this.port, "127.0.0.1");
    await once(this.server.server, "listening");
    const address = this.server.server.address();
    if (typeof address === "object" && address) this.port = address.port;
    return this;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** Delays the reply to every RCPT until the test calls the returned function. */
  hold(): () => void {
    let release: () => void = () => undefined;
    this.held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  /** Returns the first mail to this address and waits for it if necessary. */
  async mailTo(address: string): Promise<RecordedMail> {
    return this.nthMailTo(address, 1);
  }

  async nthMailTo(address: string, n: number): Promise<RecordedMail> {
    for (;;) {
      const mail = this.mailsTo(address)[n - 1];
      if (mail !== undefined) return mail;
      await once(this, "mail");
    }
  }

  mailsTo(address: string): readonly RecordedMail[] {
    return this.byAddress.get(address) ?? [];
  }

  private keep(mail: RecordedMail): void {
    this.mails.push(mail);
    for (const address of mail.to) {
      const others = this.byAddress.get(address);
      if (others === undefined) this.byAddress.set(address, [mail]);
      else others.push(mail);
    }
  }

  /** Resets all connections. */
  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }

  /** Ends all connections, after these last words if there are any, and waits until the clients have closed their side. */
  async endConnections(lastWords = ""): Promise<void> {
    const closed = [...this.sockets].map((socket) => once(socket, "close"));
    for (const socket of this.sockets) socket.end(lastWords);
    await Promise.all(closed);
  }

  async stop(): Promise<void> {
    this.dropConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

const behaviours = new WeakMap<SMTPServerSession, Behaviour>();

/** Repeats the address as real servers do, so that tests can check that it reaches no log. */
function reply(code: number, what: string, enhanced?: string): Error {
  const text = `${what} is refused`;
  return Object.assign(new Error(enhanced === undefined ? text : `${enhanced} ${text}`), { responseCode: code });
}

function refusal(code: number | undefined, what: string): Error | null {
  return code === undefined ? null : reply(code, what);
}

function record({ id, envelope, hostNameAppearsAs }: SMTPServerSession, source: string): RecordedMail {
  const [head = ""] = source.split("\r\n\r\n", 1);
  const headers = head.replaceAll(/\r\n[ \t]+/g, " ").split("\r\n");
  return {
    connection: id,
    client: String(hostNameAppearsAs),
    from: envelope.mailFrom ? envelope.mailFrom.address : "",
    to: envelope.rcptTo.map(({ address }) => address),
    source,
    header: (name) =>
      headers.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2),
    code: /^ {4}(\d{6,10})\r?$/m.exec(source)?.[1] ?? "",
  };
}
