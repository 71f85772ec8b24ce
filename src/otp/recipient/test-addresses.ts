import { type AddressId, addressId, type ChallengeId, splitChallengeId } from "../challenge/id.js";
import type { Keyring } from "../crypto/keyring.js";
import type { Recipient } from "./recipient.js";

/** An address with a code of its own, for the tests of those who build on the service. */
export interface TestAddress {
  readonly recipient: Recipient;
  readonly code: string;
}

/** Addresses to which nothing is sent and for which nothing is limited: their code is known from the start. */
export class TestAddresses {
  private readonly codes: ReadonlyMap<AddressId, string>;

  constructor(addresses: readonly TestAddress[], keyring: Keyring) {
    this.codes = new Map(
      addresses.flatMap(({ recipient, code }) => keyring.map((keys) => [addressId(keys, recipient), code] as const)),
    );
  }

  /** @returns undefined for an address like any other */
  codeFor(challenge: ChallengeId): string | undefined {
    return this.codes.get(splitChallengeId(challenge).address);
  }
}
