import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { OtpService as OtpServiceDesc } from "../gen/otp/v1/otp_service_pb.js";
import type { Call } from "../otp/call.js";
import type { OtpService } from "../otp/service.js";
import type { Decode } from "./decode.js";
import { durationFromMs } from "./duration.js";
import type { Gate } from "./gate.js";
import { readIdempotencyKey } from "./idempotency-key.js";
import type { Incoming } from "./incoming.js";

/** One RPC, to be called by any protocol. */
export interface Rpc {
  readonly method: DescMethodUnary;
  /** @throws OtpError, or anything else for a fault of our own */
  call(decode: Decode, incoming: Incoming): Promise<Message>;
}

/** The RPCs of `otp.v1.OtpService`: the proto's messages on one side, the domain on the other, and the gate in between. */
export function otpRpcs(service: OtpService, gate: Gate): readonly Rpc[] {
  function rpc<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    run: (request: MessageShape<I>, call: Call, incoming: Incoming) => Promise<MessageInitShape<O>>,
  ): Rpc {
    return {
      method,
      call: async (decode, incoming) => {
        const call = gate.admit(method.name, incoming);
        return create(method.output, await run(decode(method.input), call, incoming));
      },
    };
  }

  return [
    rpc(OtpServiceDesc.method.generate, async (request, call, incoming) => {
      const idempotencyKey = readIdempotencyKey(incoming);
      const { token, lifeMs, resendAfterMs } = await service.generate(request, { ...call, idempotencyKey });
      return {
        token,
        message: "The code is on its way",
        ttl: durationFromMs(lifeMs),
        resendAfter: durationFromMs(resendAfterMs),
      };
    }),
    rpc(OtpServiceDesc.method.verify, async (request, call) => {
      await service.verify(request, call);
      return { message: "OTP is correct" };
    }),
  ];
}
