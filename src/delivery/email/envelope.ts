import type { Mail } from "../sender.js";

/** Who the mail is from, as in `Countersign <otp@example.com>`. */
export interface MailFrom {
  readonly name: string;
  readonly address: string;
}

/** A mail as nodemailer takes it, the same whoever sends it. Its Message-ID is `<request@domain>`, each time that it is sent. */
export function envelope({ request, address, subject, text, html }: Mail, from: MailFrom) {
  const domain = from.address.slice(from.address.lastIndexOf("@") + 1);
  return {
    from,
    to: { name: "", address },
    subject,
    text,
    html,
    messageId: `<${request}@${domain}>`,
    headers: {
      "Auto-Submitted": "auto-generated", // RFC 3834 §5
      "X-Auto-Response-Suppress": "All", // [MS-OXCMAIL] 2.2.3.2.14, for Exchange
    },
  };
}
