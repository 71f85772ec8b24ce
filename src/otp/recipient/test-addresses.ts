import { type AddressId, addressId, addressOf, type ChallengeId } from "../challenge/id.js";
import type { Keyring } from "../crypto/keyring.js";
import type { Recipient } from "./recipient.js";

/** An address with a fixed code, for the tests of applications that use the service. */
export interface TestAddress {
  readonly recipient: Recipient;
  readonly code: string;
}

/** Addresses with fixed codes. Nothing is sent to them and nothing is limited for them. */
export class TestAddresses {
  private readonly codes: ReadonlyMap<AddressId, string>;

  constructor(addresses: readonly TestAddress[], keyring: Keyring) {
    this.codes = new Map(
      addresses.flatMap(({ recipient, code }) => keyring.map((keys) => [addressId(keys, recipient), code] as const)),
    );
  }

  /** @returns undefined for an ordinary address */
  codeFor(challenge: ChallengeId): string | undefined {
    return this.codes.get(addressOf(challenge));
  }
}
