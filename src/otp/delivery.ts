/**
 * What became of an order that needed no retry. `superseded`: the code it carried was used or replaced since. `expired`: the
 * code, or the request for it, outlived its time before it could be sent.
 */
export type Delivery = "sent" | "superseded" | "expired";

/**
 * A message that did not go out. Its text is safe to store and log: no address, no code.
 *
 * `permanent` means that no retry can help, as with a 5yz reply (RFC 5321 §4.2.1).
 */
export class DeliveryError extends Error {
  readonly permanent: boolean;

  constructor(message: string, permanent: boolean) {
    super(message);
    this.name = "DeliveryError";
    this.permanent = permanent;
  }
}
