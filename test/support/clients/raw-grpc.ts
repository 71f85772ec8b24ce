import type { ClientHttp2Session } from "node:http2";

/** A message in the framing of gRPC. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** How a call over HTTP/2 ended. */
export interface RawEnding {
  /** The `grpc-status`, or the HTTP status of an answer without one, or `none`. */
  readonly status: string;
  readonly details: Buffer;
}

/** Calls an RPC with these bytes, whether they are valid or not. */
export function rawCall(
  session: ClientHttp2Session,
  path: string,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawEnding> {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  return new Promise((resolve) => {
    let status = "none";
    let details = Buffer.alloc(0);
    const read = (fields: Readonly<Record<string, unknown>>) => {
      if (status === "none" && fields[":status"] !== 200) status = String(fields[":status"] ?? status);
      if (fields["grpc-status"] !== undefined) status = String(fields["grpc-status"]);
      details = Buffer.from(String(fields["grpc-status-details-bin"] ?? ""), "base64");
    };
    stream.on("response", read).on("trailers", read);
    stream.on("error", () => undefined).on("close", () => resolve({ status, details }));
    stream.resume().end(bytes);
  });
}
