import { EventEmitter, once } from "node:events";
import { SMTPServer, type SMTPServerSession } from "smtp-server";

/** A mail as the recording server took it. */
export interface RecordedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly source: string;
  /** The header of this name, unfolded. */
  header(name: string): string | undefined;
  /** The code, read from the text part. */
  readonly code: string;
}

/**
 * What the server does with a mail: takes it, refuses it with a reply code at RCPT or after DATA, says nothing at all, or hangs up.
 * `enhanced`: the status code of RFC 2034 that goes before the text of the reply.
 */
export type Behaviour =
  | { readonly at: "take" }
  | { readonly at: "rcpt" | "data"; readonly code: number; readonly enhanced?: string }
  | { readonly at: "hang-on-rcpt" | "hang-after-data" }
  | { readonly at: "drop-on-rcpt" | "drop-after-data" };

const TAKE: Behaviour = { at: "take" };

/** A real SMTP server on a socket that keeps what it is sent. `mail` is emitted for each it received, whatever it answers. */
export class RecordingSmtp extends EventEmitter<{ mail: [RecordedMail]; rcpt: [string] }> {
  readonly mails: RecordedMail[] = [];
  /** How many connections there have been. */
  connections = 0;
  /** What happens to the next mails, one after the other; then they are taken. */
  readonly script: Behaviour[] = [];
  /** The reply codes with which it refuses everybody: in its greeting, to the login, to MAIL FROM. It knows no login in any case. */
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

  private readonly sockets = new Set<{ destroy(): unknown }>();

  constructor() {
    super();
    this.setMaxListeners(0); // as many as wait for a mail
  }

  async start(): Promise<this> {
    this.server.on("error", () => undefined); // a client that was killed is part of the tests
    this.server.server.on("connection", (socket) => this.sockets.add(socket));
    this.server.listen(this.port, "127.0.0.1");
    await once(this.server.server, "listening");
    const address = this.server.server.address();
    if (typeof address === "object" && address) this.port = address.port;
    return this;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** Lets no recipient pass until the function that is returned is called. */
  hold(): () => void {
    let release: () => void = () => undefined;
    this.held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  /** The first mail to this address, also one yet to come. */
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

  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }

  async stop(): Promise<void> {
    this.dropConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

const behaviours = new WeakMap<SMTPServerSession, Behaviour>();

/** Servers repeat the address in their replies: so does this one, for the tests that look for it in logs. */
function reply(code: number, what: string, enhanced?: string): Error {
  const text = `${what} is refused`;
  return Object.assign(new Error(enhanced === undefined ? text : `${enhanced} ${text}`), { responseCode: code });
}

function refusal(code: number | undefined, what: string): Error | null {
  return code === undefined ? null : reply(code, what);
}

function record({ envelope }: SMTPServerSession, source: string): RecordedMail {
  const [head = ""] = source.split("\r\n\r\n", 1);
  const headers = head.replaceAll(/\r\n[ \t]+/g, " ").split("\r\n");
  return {
    from: envelope.mailFrom ? envelope.mailFrom.address : "",
    to: envelope.rcptTo.map(({ address }) => address),
    source,
    header: (name) =>
      headers.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2),
    code: /^ {4}(\d{6,10})\r?$/m.exec(source)?.[1] ?? "",
  };
}
