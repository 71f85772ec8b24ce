import { createTransport } from "nodemailer";
import { Webhook } from "standardwebhooks";
import type { Summary } from "../../../dev/inbox/message.js";
import { type Inbox, startInbox } from "../../../dev/inbox/start.js";

const PAGE = new URL("../../../dist/dev/inbox/page/", import.meta.url);

/** The inbox of `npm start` on free ports, and ways to write to it. */
export interface TestInbox extends Inbox {
  /** Sends a mail over SMTP. @returns the mail as the inbox lists it */
  mail(to: string, mail: { subject?: string; text?: string; html?: string }): Promise<Summary>;
  /** Sends an SMS as the `webhook` sender does. @returns the SMS as the inbox lists it */
  sms(to: string, text: string): Promise<Summary>;
}

export async function startTestInbox(port = 0): Promise<TestInbox> {
  const inbox = await startInbox({ port, page: PAGE, say: () => undefined });
  const transport = createTransport(inbox.smtpUrl);
  const latest = async (to: string): Promise<Summary> => {
    const response = await fetch(`${inbox.url}/api/latest?to=${encodeURIComponent(to)}`);
    return (await response.json()) as Summary;
  };
  return {
    ...inbox,
    mail: async (to, mail) => {
      await transport.sendMail({ from: "Ada <ada@example.com>", to, ...mail });
      return latest(to);
    },
    sms: async (to, text) => {
      await postSms(inbox, JSON.stringify({ type: "sms.send", data: { to, text } }));
      return latest(to);
    },
  };
}

/** Posts a body to the inbox's SMS catcher, signed as the `webhook` sender does. @returns the status */
export async function postSms(
  { smsUrl, smsSecret }: Pick<Inbox, "smsUrl" | "smsSecret">,
  body: string,
): Promise<number> {
  const now = new Date();
  const headers = {
    "webhook-id": "a-request",
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": new Webhook(smsSecret).sign("a-request", now, body),
  };
  return (await fetch(smsUrl, { method: "POST", headers, body })).status;
}
