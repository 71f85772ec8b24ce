import type { OtpService } from "../../otp/service.js";
import type { Gate } from "../access/gate.js";
import { generateRpc } from "./generate.js";
import type { OpenWatches } from "./open-watches.js";
import type { Rpc } from "./rpc.js";
import { verifyRpc } from "./verify.js";
import { watchRpc } from "./watch.js";

/** The RPCs of `otp.v1.OtpService`. */
export function otpRpcs(
  service: Pick<OtpService, "generate" | "verify" | "watch">,
  gate: Gate,
  watches: OpenWatches,
): readonly Rpc[] {
  return [generateRpc(service, gate), verifyRpc(service, gate), watchRpc(service, gate, watches)];
}
