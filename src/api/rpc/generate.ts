import { create, fromJson } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { GenerateResponseSchema, OtpService as OtpServiceDesc } from "../../gen/otp/v1/otp_service_pb.js";
import type { Status } from "../../otp/delivery/step.js";
import { OtpError } from "../../otp/errors.js";
import type { OtpService } from "../../otp/service.js";
import type { Gate } from "../access/gate.js";
import type { Incoming } from "./incoming.js";
import type { UnaryRpc } from "./rpc.js";

/** Generate: requests a code. */
export function generateRpc(service: Pick<OtpService, "generate">, gate: Gate): UnaryRpc {
  const method = OtpServiceDesc.method.generate;
  return {
    kind: "unary",
    method,
    call: async (decode, incoming) => {
      const call = gate.admit(method.name, incoming);
      const request = decode(method.input);
      const idempotencyKey = readIdempotencyKey(incoming);
      const generated = await service.generate(request, { ...call, idempotencyKey });
      const { token, watchToken, status, lifeMs, resendAfterMs } = generated;
      return create(GenerateResponseSchema, {
        token,
        watchToken,
        message: MESSAGES[status],
        ttl: fromJson(DurationSchema, `${lifeMs / 1000}s`),
        resendAfter: fromJson(DurationSchema, `${resendAfterMs / 1000}s`),
      });
    },
  };
}

const ON_ITS_WAY = "The code is on its way";

/** A new request is on its way. A repetition gets the state that its request has reached by then. */
const MESSAGES: Readonly<Record<Status, string>> = {
  QUEUED: ON_ITS_WAY,
  PROCESSING: ON_ITS_WAY,
  SENT: "The code was sent",
  DELIVERED: "The code has arrived",
  FAILED: "The code could not be sent: request a new one",
  VERIFIED: "The code was already used: request a new one",
  EXPIRED: "The code has expired: request a new one",
};

const IDEMPOTENCY_KEY = "idempotency-key";
const MAX_IDEMPOTENCY_KEY = 255;

/**
 * Reads the header or metadata entry by which a caller marks repetitions of a request: 1 to 255 visible ASCII characters, in
 * quotes as in draft-ietf-httpapi-idempotency-key-header, or without them, as most clients send it.
 *
 * @throws OtpError INVALID_REQUEST
 */
function readIdempotencyKey(incoming: Incoming): string | undefined {
  const given = incoming.header(IDEMPOTENCY_KEY);
  if (given === undefined) return undefined;
  const isQuoted = given.length > 1 && given.startsWith('"') && given.endsWith('"');
  const key = isQuoted ? given.slice(1, -1) : given;
  if (key.length <= MAX_IDEMPOTENCY_KEY && /^[\x21-\x7e]+$/.test(key)) return key;
  const description = "must be 1 to 255 visible ASCII characters without spaces";
  throw OtpError.invalid([{ field: IDEMPOTENCY_KEY, description }]);
}
