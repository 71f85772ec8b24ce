import { domain, url } from "../../../config/values.js";
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
  options: {
    SMTP_NAME: domain({
      default: undefined,
      desc: "The host name by which the worker introduces itself to the mail server (EHLO). Without it, the worker gives the domain of `MAIL_FROM`.",
      example: "otp.example.com",
      docs: "https://www.rfc-editor.org/rfc/rfc5321#section-4.1.1.1",
    }),
    SMTP_PER_SECOND: perSecond("the mail server"),
  },
  async open({ SMTP_URL, MAIL_FROM, SMTP_NAME, SMTP_PER_SECOND }) {
    const { SmtpSender } = await import("./sender.js");
    return { sender: new SmtpSender(SMTP_URL, MAIL_FROM, SMTP_NAME), perSecond: SMTP_PER_SECOND };
  },
});
