import { url } from "../../../config/values.js";
import { MAIL_FROM, perSecond, senderSettings } from "../settings.js";

export const smtp = senderSettings({
  title: "SMTP",
  channel: "email",
  needs: {
    SMTP_URL: url(
      "smtp:",
      "smtps:",
    )({
      desc: "The mail server to send through. `smtps://` uses TLS from the start; `smtp://` switches to TLS if the server offers STARTTLS. Percent-encode special characters of the password.",
      example: "smtp://user:password@mail.example.com:587",
    }),
    MAIL_FROM,
  },
  options: { SMTP_PER_SECOND: perSecond("the mail server") },
  async open({ SMTP_URL, MAIL_FROM, SMTP_PER_SECOND }) {
    const { SmtpSender } = await import("./sender.js");
    return { sender: new SmtpSender(SMTP_URL, MAIL_FROM), perSecond: SMTP_PER_SECOND };
  },
});
