import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  DeliveryStatus,
  OtpService as OtpServiceDesc,
  type WatchResponse,
  WatchResponseSchema,
} from "../../gen/otp/v1/otp_service_pb.js";
import type { Status, Step } from "../../otp/delivery/step.js";
import { OtpError } from "../../otp/errors.js";
import type { OtpService } from "../../otp/service.js";
import type { Gate } from "../access/gate.js";
import { readLastEventId } from "./last-event-id.js";
import type { OpenWatch, OpenWatches } from "./open-watches.js";
import type { StreamingRpc } from "./rpc.js";
import { sentenceFor } from "./sentences.js";

/** The RPC Watch: the steps of a delivery as messages, for as long as the watch may be open. */
export function watchRpc(service: Pick<OtpService, "watch">, gate: Gate, watches: OpenWatches): StreamingRpc {
  const method = OtpServiceDesc.method.watch;
  return {
    kind: "streaming",
    method,
    open: async (decode, incoming, gone) => {
      const call = gate.admit(method.name, incoming);
      const request = decode(method.input);
      const after = readLastEventId(incoming);
      const open = watches.enter(call.caller, gone);
      try {
        const options = { ...(after !== undefined && { after }), signal: open.signal };
        const { isOver, steps } = await service.watch(request, options);
        if (isOver) open.leave();
        return { isOver, messages: messagesOf(steps, open) };
      } catch (error) {
        open.leave();
        throw error;
      }
    },
  };
}

async function* messagesOf(steps: AsyncIterable<Step>, { signal, leave }: OpenWatch): AsyncGenerator<WatchResponse> {
  try {
    for await (const step of steps) {
      yield toMessage(step);
      if (step.final) return;
    }
    if (signal.reason instanceof OtpError) throw signal.reason;
  } finally {
    leave();
  }
}

function toMessage(step: Step): WatchResponse {
  const { sequence, status, at, final, expiresAt } = step;
  return create(WatchResponseSchema, {
    status: STATUSES[status],
    time: timestampFromMs(at),
    message: sentenceFor(step),
    sequence,
    final,
    ...(expiresAt !== undefined && { expireTime: timestampFromMs(expiresAt) }),
  });
}

const STATUSES: Readonly<Record<Status, DeliveryStatus>> = {
  QUEUED: DeliveryStatus.QUEUED,
  PROCESSING: DeliveryStatus.PROCESSING,
  SENT: DeliveryStatus.SENT,
  DELIVERED: DeliveryStatus.DELIVERED,
  FAILED: DeliveryStatus.FAILED,
  VERIFIED: DeliveryStatus.VERIFIED,
  EXPIRED: DeliveryStatus.EXPIRED,
};
