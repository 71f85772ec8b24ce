import { create, toJsonString } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBinary, decodeJson } from "../../../src/api/rpc/decode.js";
import { BadRequestSchema } from "../../../src/gen/google/rpc/error_details_pb.js";
import {
  GenerateRequestSchema,
  GenerateResponseSchema,
  VerifyRequestSchema,
} from "../../../src/gen/otp/v1/otp_service_pb.js";

const decode = (text: string) => decodeJson(Buffer.from(text));
const TWICE = expect.objectContaining({
  violations: [{ field: "body", description: "contains a field more than once" }],
});

describe("JSON that contains a field twice", () => {
  it.each([
    ["with two values", '{"email":"ada@example.com","email":"eve@example.com"}'],
    ["with one value", '{"email":"ada@example.com","purpose":"login","email":"ada@example.com"}'],
    ["once with an escape in its name", '{"email":"ada@example.com","\\u0065mail":"eve@example.com"}'],
    ["with spaces before the colon", '{"email" : "ada@example.com" , "email"\n:\t"eve@example.com"}'],
    ["three times", '{"purpose":"a","purpose":"a","purpose":"a"}'],
    [
      "after a value that looks like JSON",
      '{"locale":"\\",\\"a\\":","email":"ada@example.com","email":"ada@example.com"}',
    ],
  ])("is refused, here %s", (_how, text) => {
    expect(() => decode(text)(GenerateRequestSchema)).toThrow(TWICE);
  });

  it("is refused inside other fields", () => {
    expect(() => decode('{"fieldViolations":[{"field":"a"},{"field":"a","field":"b"}]}')(BadRequestSchema)).toThrow(
      TWICE,
    );
  });

  it.each([
    ["on its own", GenerateResponseSchema, '{"resendAfter":"1s","resend_after":"1s"}'],
    [
      "in a list",
      BadRequestSchema,
      '{"field_violations":[{"field":"a"},{"localizedMessage":{},"localized_message":{}}]}',
    ],
  ])("is refused if it uses both names of the field, %s", (_where, desc, text) => {
    expect(() => decode(text)(desc)).toThrow(TWICE);
  });
});

describe("a binary message with an unknown field", () => {
  it.each([
    ["in itself", Buffer.from([0x7a, 0x01, 0x61])],
    ["in a message that it contains", Buffer.from([0x32, 0x03, 0x7a, 0x01, 0x61])],
  ])("%s is refused", (_where, bytes) => {
    expect(() => decodeBinary(bytes)(VerifyRequestSchema)).toThrow("has the unknown field number 15");
  });
});

describe("JSON that contains each field once", () => {
  it("is accepted whatever characters its values contain", () => {
    const text = fc.string({ unit: "grapheme" }).map((some) => some.replaceAll("a", '":{}\\'));
    fc.assert(
      fc.property(text, text, (email, purpose) => {
        const request = create(GenerateRequestSchema, { recipient: { case: "email", value: email }, purpose });
        expect(decode(toJsonString(GenerateRequestSchema, request))(GenerateRequestSchema)).toEqual(request);
      }),
    );
  });

  it("is accepted if two objects have members of one name", () => {
    const text = '{"field_violations":[{"field":"a"},{"field":"b"}]}';
    expect(decode(text)(BadRequestSchema).fieldViolations).toHaveLength(2);
  });

  it("is read without a limit on its depth", () => {
    const text = `{"email":${"[".repeat(8_000)}${"]".repeat(8_000)}}`;
    expect(() => decode(text)(GenerateRequestSchema)).toThrow(
      expect.objectContaining({ violations: [{ field: "email", description: "has the wrong type" }] }),
    );
  });
});
