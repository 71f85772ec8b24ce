import { randomBytes } from "node:crypto";
import { MailCatcher, mailLine } from "../catchers/mail-catcher.js";
import { SmsCatcher, smsLine } from "../catchers/sms-catcher.js";
import { Mailbox } from "./mailbox.js";
import { InboxServer } from "./server.js";

const LOOPBACK = "127.0.0.1";
const PAGE = new URL("./page/", import.meta.url);

export interface InboxOptions {
  /** The inbox's port; 0 for a free one. */
  readonly port: number;
  /** Receives a line for each message, with its code. */
  readonly say: (line: string) => void;
  /** The folder of the built page, by default the one that the build writes. */
  readonly page?: URL;
}

/** The running inbox with its two catchers. */
export interface Inbox {
  readonly url: string;
  readonly smtpUrl: string;
  /** Accepts the messages of the `webhook` sender. */
  readonly smsUrl: string;
  /** The secret with which that sender must sign. */
  readonly smsSecret: string;
  close(): Promise<void>;
}

/** Starts the catchers and the inbox that shows what they catch, all on loopback. */
export async function startInbox({ port, say, page = PAGE }: InboxOptions): Promise<Inbox> {
  const mailbox = new Mailbox();
  const server = new InboxServer({ mailbox, page });
  const mails = new MailCatcher();
  const smsSecret = `whsec_${randomBytes(32).toString("base64")}`;
  const messages = new SmsCatcher(smsSecret);

  mails.on("mail", (mail) => {
    const { recipients: to, ...rest } = mail;
    mailbox.add({ channel: "email", to, ...rest });
    say(mailLine(mail));
  });
  messages.on("sms", (sms) => {
    mailbox.add({ channel: "sms", to: [sms.to], text: sms.text, code: sms.code });
    say(smsLine(sms));
  });

  return {
    url: `http://${LOOPBACK}:${await server.listen(port)}`,
    smtpUrl: `smtp://${LOOPBACK}:${await mails.listen(LOOPBACK, 0)}`,
    smsUrl: `http://${LOOPBACK}:${await messages.listen(LOOPBACK, 0)}`,
    smsSecret,
    close: async () => {
      await Promise.all([mails.close(), messages.close()]);
      await server.close();
    },
  };
}
