import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GenerateRequestSchema, VerifyRequestSchema } from "../../../src/gen/otp/v1/otp_service_pb.js";
import { startApi, type TestApi } from "../../support/api/api.js";

/** With a deadline, connect-es serves a call that our own code serves without one. */
const BY_CONNECT_ES = { "Connect-Timeout-Ms": "10000" };

let api: TestApi;
beforeAll(async () => {
  const keys = [{ name: "shop", digest: Buffer.alloc(32) }];
  api = await startApi({ access: { keys, publicRpcs: ["Generate", "Verify"] } });
});
afterAll(() => api.stop());

type Body = string | Uint8Array<ArrayBuffer>;

async function call(rpc: string, type: string, body: Body, headers: Record<string, string>) {
  const response = await fetch(`${api.http}/otp.v1.OtpService/${rpc}`, {
    method: "POST",
    headers: { "Content-Type": type, ...headers },
    body,
  });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    length: response.headers.get("content-length"),
    authenticate: response.headers.get("www-authenticate"),
    body: Buffer.from(await response.arrayBuffer()).toString("latin1"),
  };
}

const JSON_TYPE = "application/json";
const BINARY_TYPE = "application/proto";
const wrong = create(VerifyRequestSchema, { subject: { case: "email", value: "ada@example.com" }, otp: "123456" });

const CALLS: readonly (readonly [string, string, string, Body, Record<string, string>])[] = [
  ["a wrong code in JSON", "Verify", JSON_TYPE, '{"email":"ada@example.com","otp":"123456"}', {}],
  ["a wrong code in binary", "Verify", BINARY_TYPE, toBinary(VerifyRequestSchema, wrong), {}],
  ["wrong fields", "Verify", JSON_TYPE, '{"email":"ada","otp":"12"}', {}],
  ["an unknown field", "Generate", JSON_TYPE, '{"mail":"ada@example.com"}', {}],
  ["a repeated field", "Generate", JSON_TYPE, '{"email":"ada@example.com","email":"eve@example.com"}', {}],
  ["a body that is not JSON", "Generate", JSON_TYPE, "{", {}],
  ["a body that is not a message", "Generate", BINARY_TYPE, Buffer.from([0xff]), {}],
  ["a body that is too large", "Generate", JSON_TYPE, `{"email":"${"a".repeat(20_000)}"}`, {}],
  ["an unknown key", "Verify", JSON_TYPE, "{}", { Authorization: "Bearer nonsense" }],
];

describe("a plain Connect call", () => {
  it.each(CALLS)("gets the same answer as from connect-es for %s", async (_what, rpc, type, body, headers) => {
    const plain = await call(rpc, type, body, headers);
    expect(plain).toEqual(await call(rpc, type, body, { ...headers, ...BY_CONNECT_ES }));
    expect(plain.status).not.toBe(200);
  });

  it.each([JSON_TYPE, BINARY_TYPE])("gets the same answer as from connect-es for a Generate as %s", async (type) => {
    const request = (name: string) => {
      const recipient = { case: "email", value: `${name}@example.com` } as const;
      return type === JSON_TYPE
        ? JSON.stringify({ email: recipient.value })
        : toBinary(GenerateRequestSchema, create(GenerateRequestSchema, { recipient }));
    };
    const kind = type.replace("/", ".");
    const plain = await call("Generate", type, request(`plain.${kind}`), {});
    const other = await call("Generate", type, request(`other.${kind}`), BY_CONNECT_ES);
    expect(plain.status).toBe(200);
    expect({ ...plain, body: "" }).toEqual({ ...other, body: "" }); // each has a token of its own
  });
});
