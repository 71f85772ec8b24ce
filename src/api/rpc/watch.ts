import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  DeliveryStatus,
  OtpService as OtpServiceDesc,
  type WatchResponse,
  WatchResponseSchema,
} from "../../gen/otp/v1/otp_service_pb.js";
import type { Failure, Status, Step } from "../../otp/delivery/step.js";
import { OtpError } from "../../otp/errors.js";
import type { OtpService } from "../../otp/service.js";
import type { Gate } from "../access/gate.js";
import type { Incoming } from "./incoming.js";
import type { OpenWatch, OpenWatches } from "./open-watches.js";
import type { StreamingRpc } from "./rpc.js";

/** Watch: streams the steps of a delivery. */
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
        const options = { ...(after !== undefined && { after }), signal: open.signal, admit: open.countFor };
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
    message: sentenceOf(step),
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

const LAST_EVENT_ID = "last-event-id";
/** Leaves one number of a uint32 for the final step, which follows whatever the watcher claims to have seen. */
const LAST_SEQUENCE = 2 ** 32 - 2;

/**
 * Reads the sequence number of the last step that the watcher has seen. A reconnecting `EventSource` sends it as a header. A number
 * that no step can have counts as the last possible one.
 *
 * @throws OtpError INVALID_REQUEST
 */
function readLastEventId(incoming: Incoming): number | undefined {
  const given = incoming.header(LAST_EVENT_ID);
  if (given === undefined || given === "") return undefined;
  if (/^\d+$/.test(given)) return Math.min(Number(given), LAST_SEQUENCE);
  throw OtpError.invalid([{ field: LAST_EVENT_ID, description: "must be the sequence number of a step" }]);
}

/** The sentence that a person reads for a step. It depends neither on the recipient nor on the provider's response. */
function sentenceOf({ status, failure = "unknown" }: Step): string {
  return status === "FAILED" ? FAILURES[failure] : SENTENCES[status];
}

const SENTENCES: Readonly<Record<Exclude<Status, "FAILED">, string>> = {
  QUEUED: "The code is waiting to be sent",
  PROCESSING: "The code is being sent",
  SENT: "The code was sent",
  DELIVERED: "The code has arrived",
  VERIFIED: "The code was verified",
  EXPIRED: "The code has expired",
};

const FAILURES: Readonly<Record<Failure, string>> = {
  address: "The code could not be sent: this address does not accept messages",
  provider: "The code could not be sent: no provider accepted the message",
  undelivered: "The code was sent but did not arrive",
  unknown: "The code may not have been sent: request a new one",
  late: "The code could not be sent in time: request a new one",
};
