import { create } from "@bufbuild/protobuf";
import { GenerateResponseSchema, OtpService as OtpServiceDesc } from "../../gen/otp/v1/otp_service_pb.js";
import { OtpError } from "../../otp/errors.js";
import type { OtpService } from "../../otp/service.js";
import type { Gate } from "../access/gate.js";
import type { Incoming } from "./incoming.js";
import { durationFromMs, type UnaryRpc, unaryRpc } from "./rpc.js";

/** Generate: asks for a code to be sent. */
export function generateRpc(service: Pick<OtpService, "generate">, gate: Gate): UnaryRpc {
  return unaryRpc(OtpServiceDesc.method.generate, gate, async (request, call, incoming) => {
    const idempotencyKey = readIdempotencyKey(incoming);
    const { token, lifeMs, resendAfterMs } = await service.generate(request, { ...call, idempotencyKey });
    return create(GenerateResponseSchema, {
      token,
      message: "The code is on its way",
      ttl: durationFromMs(lifeMs),
      resendAfter: durationFromMs(resendAfterMs),
    });
  });
}

const IDEMPOTENCY_KEY = "idempotency-key";

/**
 * Reads the header or metadata entry by which a caller marks repetitions of a request: 1 to 255 visible ASCII characters, in
 * quotes as in draft-ietf-httpapi-idempotency-key-header, or without them, as most clients send it.
 *
 * @throws OtpError INVALID_REQUEST
 */
function readIdempotencyKey(incoming: Incoming): string | undefined {
  const given = incoming.header(IDEMPOTENCY_KEY);
  if (given === undefined) return undefined;
  const [, quoted] = /^"(.*)"$/.exec(given) ?? [];
  const key = quoted ?? given;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const description = "must be 1 to 255 visible ASCII characters without spaces";
  throw OtpError.invalid([{ field: IDEMPOTENCY_KEY, description }]);
}
