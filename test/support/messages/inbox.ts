import { createTransport } from "nodemailer";
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
      await fetch(inbox.smsUrl, { method: "POST", body: JSON.stringify({ type: "sms.send", data: { to, text } }) });
      return latest(to);
    },
  };
}
