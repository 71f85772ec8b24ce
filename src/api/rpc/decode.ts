import {
  type DescMessage,
  fromBinary,
  fromJson,
  isMessage,
  type JsonValue,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { OtpError } from "../../otp/errors.js";
import { repeatsField } from "./repeated-fields.js";

/** The largest accepted request, on every protocol. */
export const MAX_REQUEST_BYTES = 16 * 1024;

/** Decodes a request as the given message. @throws OtpError INVALID_REQUEST, REQUEST_TOO_LARGE */
export type Decode = <Desc extends DescMessage>(desc: Desc) => MessageShape<Desc>;

/** Decodes the protobuf binary format. An unknown field is refused, because ignoring it would ignore a part of the request. */
export function decodeBinary(bytes: Uint8Array): Decode {
  return (desc) => {
    if (bytes.length > MAX_REQUEST_BYTES) throw OtpError.tooLarge(MAX_REQUEST_BYTES);
    const message = attempt(() => fromBinary(desc, bytes));
    if (message === undefined) throw invalidBody(`is not a valid ${desc.typeName} message`);
    refuseUnknown(message);
    return message;
  };
}

/** Takes a message that connect-es has read. Unknown fields of the binary format are still in it, and are refused here. */
export function decoded(message: Message): Decode {
  return (desc) => {
    if (!isMessage(message, desc)) throw new TypeError(`the message is a ${message.$typeName}, not a ${desc.typeName}`);
    refuseUnknown(message);
    return message;
  };
}

/** Refuses unknown fields in the message and in the messages that it contains. */
function refuseUnknown(message: Message): void {
  const [unknown] = message.$unknown ?? [];
  if (unknown !== undefined) throw invalidBody(`has the unknown field number ${unknown.no}`);
  for (const value of Object.values(message)) if (isMessage(value)) refuseUnknown(value);
}

/** Decodes the protobuf JSON mapping strictly: unknown fields, repeated fields and wrong types are refused. */
export function decodeJson(bytes: Uint8Array): Decode {
  return (desc) => {
    if (bytes.length > MAX_REQUEST_BYTES) throw OtpError.tooLarge(MAX_REQUEST_BYTES);
    const text = attempt(() => UTF8.decode(bytes));
    const json = text === undefined ? undefined : attempt<JsonValue>(() => JSON.parse(text));
    if (text === undefined || json === undefined) throw invalidBody("is not valid JSON");
    if (json === null || typeof json !== "object" || Array.isArray(json)) throw invalidBody("must be a JSON object");

    const known = namesOf(desc);
    const unknown = Object.keys(json).find((key) => !known.has(key));
    if (unknown !== undefined) throw unknownField(unknown);
    if (repeatsField(text, json, desc)) throw invalidBody("contains a field more than once");
    try {
      return fromJson(desc, json);
    } catch (error) {
      throw wrongField(error);
    }
  };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

const names = new WeakMap<DescMessage, ReadonlySet<string>>();

/** The names that the fields of a message may have in JSON, collected once per message type. */
function namesOf(desc: DescMessage): ReadonlySet<string> {
  const known = names.get(desc) ?? new Set(desc.fields.flatMap(({ name, jsonName }) => [name, jsonName]));
  names.set(desc, known);
  return known;
}

/** Decodes the query of a URL as strictly as JSON: each parameter is a field in its JSON form. */
export function decodeQuery(url: string): Decode {
  const [, query = ""] = url.split(/\?(.*)/s, 2);
  const parameters = [...new URLSearchParams(query)];
  const names = new Set(parameters.map(([name]) => name));
  const decode = decodeJson(Buffer.from(JSON.stringify(Object.fromEntries(parameters))));
  return (desc) => {
    const message = decode(desc);
    if (names.size === parameters.length) return message;
    throw OtpError.invalid([{ field: "query", description: "contains a parameter more than once" }]);
  };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Names the unknown field if it looks like a field name. Anything else may be an address, which error texts must not repeat. */
function unknownField(key: string): OtpError {
  if (!/^[A-Za-z_]\w{0,63}$/.test(key)) return invalidBody("has an unknown field");
  return OtpError.invalid([{ field: key, description: "is not a field of this request" }]);
}

/** The error text of protobuf-es contains the value, so only the name of the field is used. */
function wrongField(error: unknown): OtpError {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!isFieldError(cause)) return invalidBody("does not match the form of this request");
  const { kind, name } = cause.field();
  const description = kind === "oneof" ? "accepts one field, but more than one is set" : "has the wrong type";
  return OtpError.invalid([{ field: name, description }]);
}

/** The field name for a violation that concerns the request as a whole. */
export const BODY = "body";

function invalidBody(description: string): OtpError {
  return OtpError.invalid([{ field: BODY, description }]);
}
