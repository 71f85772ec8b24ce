import { EventEmitter } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

/** A mail server that accepts every mail and stores none. Emits `mail` with the recipient and the content once it has accepted a mail. */
export class MailSink extends EventEmitter<{ mail: [address: string, content: string] }> {
  private readonly server: Server;

  constructor() {
    super();
    this.server = createServer({ noDelay: true }, (socket) => this.serve(socket));
  }

  /** @returns the port on loopback */
  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.server.listen(0, "127.0.0.1", () => {
        const address = this.server.address();
        if (typeof address === "object" && address) resolve(address.port);
      });
    });
  }

  close(): void {
    this.server.close();
  }

  /**
   * Counts this many mails, and resolves with how many arrived per second.
   *
   * @throws if the mails stop for 30 seconds
   */
  count(mails: number): Promise<number> {
    return new Promise((resolve, reject) => {
      let came = 0;
      let first = 0;
      const give = () => {
        this.off("mail", take);
        reject(new Error(`no more mails arrived after ${came} of ${mails}`));
      };
      let timer = setTimeout(give, SILENCE_MS);
      const take = () => {
        came++;
        if (came === 1) first = performance.now();
        if (came % LOOK_EVERY === 0) {
          clearTimeout(timer);
          timer = setTimeout(give, SILENCE_MS);
        }
        if (came < mails) return;
        clearTimeout(timer);
        this.off("mail", take);
        resolve((1000 * (mails - 1)) / (performance.now() - first));
      };
      this.on("mail", take);
    });
  }

  private serve(socket: Socket): void {
    let rest = "";
    let isData = false;
    let address = "";
    socket.setEncoding("latin1");
    socket.on("error", () => undefined);
    socket.on("data", (chunk: string) => {
      rest += chunk;
      for (;;) {
        if (isData) {
          const end = rest.indexOf(END_OF_DATA);
          if (end < 0) return;
          const content = rest.slice(0, end);
          rest = rest.slice(end + END_OF_DATA.length);
          isData = false;
          socket.write("250 2.0.0 accepted\r\n");
          this.emit("mail", address, content);
          continue;
        }
        const end = rest.indexOf("\r\n");
        if (end < 0) return;
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        const command = line.slice(0, 4).toUpperCase();
        if (command === "RCPT") address = line.slice(line.indexOf("<") + 1, line.indexOf(">"));
        isData = command === "DATA";
        socket.write(REPLIES[command] ?? "250 2.0.0 ok\r\n");
        if (command === "QUIT") socket.end();
      }
    });
    socket.write("220 sink ESMTP\r\n");
  }
}

const SILENCE_MS = 30_000;
const LOOK_EVERY = 100;
const END_OF_DATA = "\r\n.\r\n";
const REPLIES: Readonly<Record<string, string>> = {
  EHLO: "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 1000000\r\n",
  DATA: "354 go on\r\n",
  QUIT: "221 2.0.0 bye\r\n",
};
