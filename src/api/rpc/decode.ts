import { type DescMessage, fromBinary, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { OtpError } from "../../otp/errors.js";

/** The largest request we read, on every protocol. */
export const MAX_REQUEST_BYTES = 16 * 1024;

/** Reads a request as the given message. @throws OtpError INVALID_REQUEST, REQUEST_TOO_LARGE */
export type Decode = <Desc extends DescMessage>(desc: Desc) => MessageShape<Desc>;

/** Reads the protobuf binary format. A field we do not know is refused here too: better than to ignore what was asked. */
export function decodeBinary(bytes: Uint8Array): Decode {
  return (desc) => {
    if (bytes.length > MAX_REQUEST_BYTES) throw OtpError.tooLarge(MAX_REQUEST_BYTES);
    const message = attempt(() => fromBinary(desc, bytes));
    if (message === undefined) throw invalidBody(`is not a valid ${desc.typeName} message`);
    const [unknown] = message.$unknown ?? [];
    if (unknown !== undefined) throw invalidBody(`has the unknown field number ${unknown.no}`);
    return message;
  };
}

/** Reads the protobuf JSON mapping, strictly: unknown fields and wrong types are refused. */
export function decodeJson(bytes: Uint8Array): Decode {
  return (desc) => {
    if (bytes.length > MAX_REQUEST_BYTES) throw OtpError.tooLarge(MAX_REQUEST_BYTES);
    const json = attempt<JsonValue>(() => JSON.parse(UTF8.decode(bytes)));
    if (json === undefined) throw invalidBody("is not valid JSON");
    if (json === null || typeof json !== "object" || Array.isArray(json)) throw invalidBody("must be a JSON object");

    const known = namesOf(desc);
    const unknown = Object.keys(json).find((key) => !known.has(key));
    if (unknown !== undefined) throw unknownField(unknown);
    try {
      return fromJson(desc, json);
    } catch (error) {
      throw wrongField(error);
    }
  };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

const names = new WeakMap<DescMessage, ReadonlySet<string>>();

/** What the fields of a message may be called in JSON. Gathered once. */
function namesOf(desc: DescMessage): ReadonlySet<string> {
  const known = names.get(desc) ?? new Set(desc.fields.flatMap(({ name, jsonName }) => [name, jsonName]));
  names.set(desc, known);
  return known;
}

/** Reads the query of a URL: each parameter is a field, in its JSON form, and as strictly read. */
export function decodeQuery(url: string): Decode {
  const [, query = ""] = url.split(/\?(.*)/s, 2);
  const parameters = [...new URLSearchParams(query)];
  const names = new Set(parameters.map(([name]) => name));
  const decode = decodeJson(Buffer.from(JSON.stringify(Object.fromEntries(parameters))));
  return (desc) => {
    const message = decode(desc);
    if (names.size === parameters.length) return message;
    throw OtpError.invalid([{ field: "query", description: "has a parameter more than once" }]);
  };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Names the unknown field if it reads like one. Anything else may be an address, which no error text repeats. */
function unknownField(key: string): OtpError {
  if (!/^[A-Za-z_]\w{0,63}$/.test(key)) return invalidBody("has an unknown field");
  return OtpError.invalid([{ field: key, description: "is not a field of this request" }]);
}

/** protobuf-es repeats the value in its text, so only the field is taken from it. */
function wrongField(error: unknown): OtpError {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!isFieldError(cause)) return invalidBody("does not have the form of this request");
  const { kind, name } = cause.field();
  const description = kind === "oneof" ? "takes one field, and more than one is set" : "has the wrong type";
  return OtpError.invalid([{ field: name, description }]);
}

/** The field that is named when the request as a whole is at fault. */
export const BODY = "body";

function invalidBody(description: string): OtpError {
  return OtpError.invalid([{ field: BODY, description }]);
}
