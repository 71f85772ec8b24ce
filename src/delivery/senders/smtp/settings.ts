import { isIP } from "node:net";
import { makeValidator } from "envalid";
import { BadValue, domain, integer, isUrlOf } from "../../../config/values.js";
import { MAIL_FROM, perSecond, senderSettings } from "../settings.js";

const isSwitch = (value: string) => value === "true" || value === "false";
const isOneOf = (pattern: RegExp) => (value: string) => pattern.test(value);

/** An option of an `SMTP_URL`: the values that it may have, and which of them give up protection. */
interface UrlOption {
  accepts(value: string): boolean;
  readonly risky?: RegExp;
  readonly risk?: string;
}

const URL_OPTIONS: ReadonlyMap<string, UrlOption> = new Map<string, UrlOption>([
  ["requireTLS", { accepts: isSwitch }],
  ["ignoreTLS", { accepts: isSwitch, risky: /true/, risk: "sends codes and the password unencrypted" }],
  ["opportunisticTLS", { accepts: isSwitch, risky: /true/, risk: "sends codes unencrypted if TLS fails" }],
  ["authMethod", { accepts: isOneOf(/^(?:PLAIN|LOGIN|CRAM-MD5)$/i) }],
  ["localAddress", { accepts: (value) => isIP(value) !== 0 }],
  ["tls.rejectUnauthorized", { accepts: isSwitch, risky: /false/, risk: "accepts any certificate" }],
  ["tls.servername", { accepts: isOneOf(/^[\w.-]+$/) }],
  [
    "tls.minVersion",
    {
      accepts: isOneOf(/^TLSv1(?:\.[123])?$/),
      risky: /^TLSv1(?:\.1)?$/,
      risk: "allows a version of TLS that is broken",
    },
  ],
  ["tls.ciphers", { accepts: isOneOf(/^[\w!@:+=-]+$/) }],
]);

/** `smtp://user:pass@host:port` or `smtps://…`, with options in its query. */
const smtpUrl = makeValidator<string>((input) => {
  if (!isUrlOf(["smtp:", "smtps:"], input)) throw new BadValue("must be a URL that starts with smtp:// or smtps://");
  const names = new Set<string>();
  for (const [name, value] of new URL(input).searchParams) {
    const option = URL_OPTIONS.get(name);
    if (option === undefined) {
      throw new BadValue(`has an option that is not one of ${[...URL_OPTIONS.keys()].join(", ")}`);
    }
    if (names.has(name) || !option.accepts(value)) throw new BadValue(`has a wrong value in its option ${name}`);
    names.add(name);
  }
  return input;
});

export const smtp = senderSettings({
  title: "SMTP",
  channel: "email",
  needs: {
    SMTP_URL: smtpUrl({
      desc: "The mail server to send through. `smtps://` uses TLS from the start; `smtp://` switches to TLS if the server offers STARTTLS. Percent-encode special characters of the password. docs/delivery.md lists the options that its query may have.",
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
    SMTP_CONNECTIONS: integer(
      1,
      1_000,
    )({
      default: 20,
      desc: "The most connections that one worker opens to the mail server, 1 to 1000. If the server accepts fewer, the worker finds that out and keeps to it.",
    }),
    SMTP_PER_SECOND: perSecond("the mail server"),
  },
  warnings: ({ SMTP_URL }) => riskyOptions(SMTP_URL),
  async open({ SMTP_URL, MAIL_FROM, SMTP_NAME, SMTP_CONNECTIONS, SMTP_PER_SECOND }) {
    const { SmtpSender } = await import("./sender.js");
    const settings = { url: SMTP_URL, from: MAIL_FROM, name: SMTP_NAME, connections: SMTP_CONNECTIONS };
    return { sender: new SmtpSender(settings), perSecond: SMTP_PER_SECOND };
  },
});

/** @returns a line per option that gives up protection */
function riskyOptions(url: string): readonly string[] {
  return [...new URL(url).searchParams].flatMap(([name, value]) => {
    const { risky, risk } = URL_OPTIONS.get(name) ?? {};
    return risky?.test(value) ? [`SMTP_URL has ${name}=${value}, which ${risk}`] : [];
  });
}
