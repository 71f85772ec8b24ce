import { createHash, createHmac, generateKeyPairSync, randomUUID, verify } from "node:crypto";
import { type ReportingProtocol, ReportingStandIn } from "./reporting.js";
import type { Call, Reply } from "./stand-in.js";

export const VONAGE = {
  apiKey: "abcd1234",
  apiSecret: "vonage-secret-0123456789",
  signatureSecret: "vonage-signature-secret-0123456789abcdef",
  from: "Countersign",
} as const;

/** An application of the account, with the owner's private key and the public key that Vonage knows. */
export interface Application {
  readonly id: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

export function newApplication(): Application {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return { id: randomUUID(), privateKey, publicKey };
}

/**
 * Vonage's Messages API, version 1: https://developer.vonage.com/en/api/messages. The API writes numbers without a plus, and the messages
 * kept here have one. The stand-in accepts the login of the account and the tokens of the given application.
 */
export class VonageStandIn extends ReportingStandIn {
  constructor(application?: Pick<Application, "id" | "publicKey">) {
    super(protocol(application));
  }
}

/** The body of a message status webhook. */
export function vonageReceipt(to: string, reference: string | undefined, status: string, errorCode?: number): string {
  return JSON.stringify({
    message_uuid: randomUUID(),
    to: to.replace("+", ""),
    from: VONAGE.from,
    timestamp: new Date().toISOString(),
    status,
    channel: "sms",
    client_ref: reference,
    ...(errorCode !== undefined && { error: problem(errorCode, `about ${to}`) }),
  });
}

/** The JWT that comes with a body. It is made without jose, so that the tests do not compare jose with itself. */
export function vonageToken(
  body: string,
  { secret = VONAGE.signatureSecret, alg = "HS256", ...claims }: Readonly<Record<string, unknown>> = {},
): string {
  const payload = {
    iat: Math.floor(Date.now() / 1000),
    jti: randomUUID(),
    iss: "Vonage",
    payload_hash: createHash("sha256").update(body).digest("hex"),
    api_key: VONAGE.apiKey,
    application_id: randomUUID(),
    ...claims,
  };
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const signed = `${encode({ alg, typ: "JWT" })}.${encode(payload)}`;
  return `${signed}.${createHmac("sha256", String(secret)).update(signed).digest("base64url")}`;
}

function protocol(application: Pick<Application, "id" | "publicKey"> | undefined): ReportingProtocol {
  return {
    read(call) {
      if (call.target !== "/v1/messages" || call.method !== "POST")
        return { status: 404, body: { title: "Not found" } };
      const [scheme, credentials = ""] = call.header("authorization").split(" ");
      const isKnown = scheme === "Bearer" ? isToken(credentials, application) : isLogin(credentials);
      if (!isKnown) return UNAUTHORIZED;
      const message = messageIn(call);
      // "Basic authentication does not support webhooks": https://developer.vonage.com/en/getting-started/concepts/authentication
      return "status" in message || scheme === "Bearer" ? message : { ...message, callback: undefined };
    },
    taken: () => ({ status: 202, body: { message_uuid: randomUUID() } }),
    rejected: ({ to }) => error(422, 1430, `Invalid recipient ${to}`),
    throttled: () => error(429, 1000, "Throttled"),
    failed: (status) => error(status, 1030, "Internal error"),
    receipt({ to, reference }, status, errorCode) {
      const body = vonageReceipt(to, reference, status, errorCode);
      const headers = { "Content-Type": "application/json", Authorization: `Bearer ${vonageToken(body)}` };
      return { headers, body };
    },
  };
}

const UNAUTHORIZED: Reply = {
  status: 401,
  body: { type: "https://developer.vonage.com/api-errors#unauthorized", title: "Unauthorized" },
};

function isLogin(credentials: string): boolean {
  return Buffer.from(credentials, "base64").toString() === `${VONAGE.apiKey}:${VONAGE.apiSecret}`;
}

/** Whether it is a JWT of the application, also checked without jose: https://developer.vonage.com/en/getting-started/concepts/authentication#json-web-tokens */
function isToken(token: string, application: Pick<Application, "id" | "publicKey"> | undefined): boolean {
  const [head = "", payload = "", signature = ""] = token.split(".");
  if (application === undefined) return false;
  if (!verify("sha256", Buffer.from(`${head}.${payload}`), application.publicKey, Buffer.from(signature, "base64url")))
    return false;
  const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  const { application_id, iat, jti, exp } = decode(payload);
  const now = Date.now() / 1000;
  const isInTime = iat <= now && now < exp && exp - iat <= 24 * 3600;
  return decode(head).alg === "RS256" && application_id === application.id && typeof jti === "string" && isInTime;
}

function messageIn({ header, body }: Call): ReturnType<ReportingProtocol["read"]> {
  if (!header("content-type").startsWith("application/json")) return error(415, 1010, "Media type");

  const { message_type, channel, to, from, text, client_ref, webhook_url, ttl }: Record<string, unknown> =
    JSON.parse(body);
  if (message_type !== "text" || channel !== "sms") return error(422, 1400, "Unsupported channel");
  if (typeof from !== "string" || from === "") return error(422, 1420, "Invalid sender");
  if (typeof text !== "string" || text === "") return error(422, 1010, "Missing params");
  if (typeof to !== "string" || !/^\d{7,15}$/.test(to)) return error(422, 1430, `Invalid recipient ${to}`);
  if (typeof ttl === "number" && ttl < 20) return error(422, 1130, "Invalid TTL");
  if (client_ref !== undefined && String(client_ref).length > 100) return error(422, 1450, "Invalid reference");
  return { to: `+${to}`, text, reference: optional(client_ref), callback: optional(webhook_url) };
}

function optional(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

function error(status: number, code: number, detail: string): Reply {
  return { status, headers: { "Content-Type": "application/problem+json" }, body: problem(code, detail) };
}

function problem(code: number, detail: string) {
  const type = `https://developer.vonage.com/api-errors/messages#${code}`;
  return { type, title: String(code), detail, instance: randomUUID() };
}
