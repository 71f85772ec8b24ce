import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody } from "../../http/body.js";
import { UNCACHED } from "../../http/headers.js";
import type { InFlight } from "../../http/in-flight.js";
import { methodNotAllowed, type Problem, sendProblem } from "../../http/problem.js";
import { targetOf } from "../../http/server.js";
import type { Receipt, ReceiptReader } from "../../otp/delivery/receipts.js";
import { OtpError } from "../../otp/errors.js";
import type { Gate } from "../access/gate.js";
import { MAX_REQUEST_BYTES } from "../rpc/decode.js";
import { HttpIncoming } from "../rpc/incoming.js";

/** The readers of receipts by the sender's name, and the place that valid receipts go to. */
export interface ReceiptTakers {
  readonly readers: ReadonlyMap<string, ReceiptReader>;
  /** @throws OtpError UNAVAILABLE */
  take(sender: string, receipt: Receipt): Promise<void>;
}

/**
 * Serves `POST /providers/<sender>/status`, where providers report on messages. A provider authenticates by its signature, and may
 * report as often as it likes; only what is refused counts for its client address.
 */
export class ReceiptRoutes {
  private readonly senders: ReadonlyMap<string, string>;

  constructor(private readonly parts: ReceiptTakers & { readonly gate: Gate; readonly inFlight: InFlight }) {
    this.senders = new Map([...parts.readers.keys()].map((sender) => [`/providers/${sender}/status`, sender]));
  }

  /** @returns whether receipts of a sender are accepted at this path */
  serves(path: string): boolean {
    return this.senders.has(path);
  }

  async handle(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sender = this.senders.get(path);
    const reader = sender === undefined ? undefined : this.parts.readers.get(sender);
    if (sender === undefined || reader === undefined) throw new Error("this path belongs to no sender");
    const incoming = new HttpIncoming(request);
    const refuse = (problem: Problem) => {
      this.parts.gate.count(incoming);
      sendProblem(response, problem);
    };
    if (request.method !== "POST") return refuse(methodNotAllowed("POST"));
    const body = await readBody(request, MAX_REQUEST_BYTES, this.parts.inFlight);
    if (body === undefined) return;
    if (body.length > MAX_REQUEST_BYTES) {
      this.parts.gate.count(incoming);
      throw OtpError.tooLarge(MAX_REQUEST_BYTES);
    }
    const receipt = await reader.read({ target: targetOf(request), header: (name) => incoming.header(name), body });
    switch (receipt) {
      case "forged":
        return refuse({ status: 403, detail: "the provider's signature is not valid" });
      case "unreadable":
        return refuse({ status: 400, detail: "the body is not a receipt" });
      case "not final":
        break;
      default:
        await this.parts.take(sender, receipt);
    }
    response.writeHead(204, UNCACHED).end();
  }
}
