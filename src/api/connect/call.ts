import { type ConnectError, type ContextValues, createContextKey } from "@connectrpc/connect";
import type { Incoming } from "../rpc/incoming.js";

/** One call on its way through connect-node. */
export interface ConnectCall {
  readonly incoming: Incoming;
  /** The body of the request. One that is too large is cut off after its limit. */
  readonly body: Buffer;
  /** Why the call was refused before its body was read. */
  readonly refusal: ConnectError | undefined;
  /** Whether connect-es could read the body and has therefore called the RPC. */
  hasReachedRpc: boolean;
}

/** Where the context values of connect-es hold the call. */
export const callKey = createContextKey<ConnectCall | undefined>(undefined);

export function callOf(values: ContextValues | undefined): ConnectCall {
  const call = values?.get(callKey);
  if (call === undefined) throw new Error("a call has no context value");
  return call;
}
