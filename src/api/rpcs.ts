import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { OtpService as OtpServiceDesc } from "../gen/otp/v1/otp_service_pb.js";
import type { OtpService } from "../otp/service.js";
import type { Decode } from "./decode.js";
import { durationFromMs } from "./duration.js";

/** One RPC, to be called by any protocol. */
export interface Rpc {
  readonly method: DescMethodUnary;
  /** @throws OtpError, or anything else for a fault of our own */
  call(decode: Decode): Promise<Message>;
}

/** The RPCs of `otp.v1.OtpService`: the proto's messages on one side, the domain on the other. */
export function otpRpcs(service: OtpService): readonly Rpc[] {
  return [
    rpc(OtpServiceDesc.method.generate, async (request) => {
      const { token, lifeMs, resendAfterMs } = await service.generate(request);
      return {
        token,
        message: "The code is on its way",
        ttl: durationFromMs(lifeMs),
        resendAfter: durationFromMs(resendAfterMs),
      };
    }),
    rpc(OtpServiceDesc.method.verify, async (request) => {
      await service.verify(request);
      return { message: "OTP is correct" };
    }),
  ];
}

function rpc<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  run: (request: MessageShape<I>) => Promise<MessageInitShape<O>>,
): Rpc {
  return { method, call: async (decode) => create(method.output, await run(decode(method.input))) };
}
