import { createHmac, randomBytes } from "node:crypto";
import { type ReportingProtocol, ReportingStandIn } from "./reporting.js";
import type { Call, Reply } from "./stand-in.js";

export const TWILIO = {
  accountSid: "AC00000000000000000000000000000001",
  authToken: "twilio-token-0123456789abcdef",
  from: "+15005550006",
} as const;

/**
 * Twilio's Messages resource: https://www.twilio.com/docs/messaging/api/message-resource. Its errors have the shape of
 * https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions and repeat the number, as the real ones do.
 */
export class TwilioStandIn extends ReportingStandIn {
  constructor() {
    super(protocol);
  }
}

/** The parameters of a status callback. */
export function twilioReceipt(to: string, status: string, errorCode?: number): URLSearchParams {
  const sid = `SM${randomBytes(16).toString("hex")}`;
  return new URLSearchParams({
    MessageSid: sid,
    SmsSid: sid,
    AccountSid: TWILIO.accountSid,
    From: TWILIO.from,
    To: to,
    MessageStatus: status,
    SmsStatus: status,
    ApiVersion: "2010-04-01",
    ...(errorCode !== undefined && { ErrorCode: String(errorCode) }),
  });
}

export function twilioSignature(authToken: string, url: string, form: URLSearchParams): string {
  const sorted = [...form].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac("sha1", authToken)
    .update(url + sorted.flat().join(""))
    .digest("base64");
}

const protocol: ReportingProtocol = {
  read({ method, target, header, body }: Call) {
    if (target !== `/2010-04-01/Accounts/${TWILIO.accountSid}/Messages.json` || method !== "POST")
      return error(404, 20404, `The requested resource ${target} was not found`);
    const login = Buffer.from(header("authorization").replace(/^Basic /, ""), "base64").toString();
    if (login !== `${TWILIO.accountSid}:${TWILIO.authToken}`) return error(401, 20003, "Authenticate");
    if (!header("content-type").startsWith("application/x-www-form-urlencoded")) return error(415, 20415, "Media type");

    const form = new URLSearchParams(body);
    const [to, from, text] = [form.get("To"), form.get("From") ?? form.get("MessagingServiceSid"), form.get("Body")];
    if (!to) return error(400, 21604, "A 'To' phone number is required.");
    if (!from) return error(400, 21603, "A 'From' phone number is required.");
    if (!text) return error(400, 21602, "Message body is required.");
    if (!/^\+\d{7,15}$/.test(to)) return error(400, 21211, `The 'To' number ${to} is not a valid phone number.`);
    const validity = Number(form.get("ValidityPeriod") ?? 36_000);
    if (!Number.isInteger(validity) || validity < 1 || validity > 36_000) return error(400, 90007, "Validity period");
    const callback = form.get("StatusCallback") ?? undefined;
    return { to, text, callback, reference: callback && (new URL(callback).searchParams.get("ref") ?? undefined) };
  },
  taken: ({ to, text }) => ({
    status: 201,
    body: {
      sid: `SM${randomBytes(16).toString("hex")}`,
      account_sid: TWILIO.accountSid,
      status: "queued",
      to,
      from: TWILIO.from,
      body: text,
      error_code: null,
    },
  }),
  rejected: ({ to }) => error(400, 21211, `The 'To' number ${to} is not a valid phone number.`),
  throttled: () => error(429, 20429, "Too Many Requests"),
  failed: (status) => error(status, 20500, "Internal Server Error"),
  receipt({ to, callback = "" }, status, errorCode) {
    const form = twilioReceipt(to, status, errorCode);
    const [signed = ""] = callback.split("#"); // the fragment is for Twilio itself
    const headers = {
      "Content-Type": "application/x-www-form-urlencoded",
      "X-Twilio-Signature": twilioSignature(TWILIO.authToken, signed, form),
    };
    return { headers, body: form.toString() };
  },
};

function error(status: number, code: number, message: string): Reply {
  return { status, body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}
