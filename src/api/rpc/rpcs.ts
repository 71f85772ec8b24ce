import { create, type DescMessage, type DescMethodUnary, type MessageShape } from "@bufbuild/protobuf";
import {
  GenerateResponseSchema,
  OtpService as OtpServiceDesc,
  VerifyResponseSchema,
} from "../../gen/otp/v1/otp_service_pb.js";
import type { Call } from "../../otp/caller/call.js";
import type { OtpService } from "../../otp/service.js";
import type { Gate } from "../access/gate.js";
import { durationFromMs } from "./duration.js";
import { readIdempotencyKey } from "./idempotency-key.js";
import type { Incoming } from "./incoming.js";
import type { OpenWatches } from "./open-watches.js";
import type { Rpc } from "./rpc.js";
import { watchRpc } from "./watch.js";

const CORRECT = create(VerifyResponseSchema, { message: "OTP is correct" });

/** The RPCs of `otp.v1.OtpService`: the proto's messages on one side, the domain on the other, and the gate in between. */
export function otpRpcs(
  service: Pick<OtpService, "generate" | "verify" | "watch">,
  gate: Gate,
  watches: OpenWatches,
): readonly Rpc[] {
  function unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    run: (request: MessageShape<I>, call: Call, incoming: Incoming) => Promise<MessageShape<O>>,
  ): Rpc {
    return {
      kind: "unary",
      method,
      call: async (decode, incoming) => {
        const call = gate.admit(method.name, incoming);
        return run(decode(method.input), call, incoming);
      },
    };
  }

  return [
    unary(OtpServiceDesc.method.generate, async (request, call, incoming) => {
      const idempotencyKey = readIdempotencyKey(incoming);
      const { token, lifeMs, resendAfterMs } = await service.generate(request, { ...call, idempotencyKey });
      return create(GenerateResponseSchema, {
        token,
        message: "The code is on its way",
        ttl: durationFromMs(lifeMs),
        resendAfter: durationFromMs(resendAfterMs),
      });
    }),
    unary(OtpServiceDesc.method.verify, async (request, call) => {
      await service.verify(request, call);
      return CORRECT;
    }),
    watchRpc(service, gate, watches),
  ];
}
