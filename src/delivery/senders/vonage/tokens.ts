import { createPrivateKey, type KeyObject, randomUUID } from "node:crypto";
import { SignJWT } from "jose";

const LIFE_SECONDS = 15 * 60;
/** A new token is signed this long before the last one expires, to allow for slow calls and for clocks that are ahead of ours. */
const SPARE_SECONDS = 60;
const MIN_BITS = 2048; // RFC 7518 §3.3

/** A Vonage application, which signs in with its own private key. */
export interface VonageApplication {
  readonly id: string;
  /** An RSA key as PKCS #8 in PEM. */
  readonly privateKey: string;
}

/**
 * Signs the JWTs (RFC 7519) that authenticate an application. Each JWT is used for many calls.
 *
 * https://developer.vonage.com/en/getting-started/concepts/authentication#json-web-tokens
 */
export class VonageTokens {
  private readonly id: string;
  private readonly key: KeyObject;
  private last: Promise<string> = Promise.resolve("");
  private goodUntil = 0;

  /** @throws TypeError if `privateKey` is not an RSA key of at least 2048 bits */
  constructor({ id, privateKey }: VonageApplication) {
    this.id = id;
    this.key = rsaKey(privateKey);
  }

  current(): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    if (now >= this.goodUntil) {
      this.goodUntil = now + LIFE_SECONDS - SPARE_SECONDS;
      this.last = this.sign(now);
    }
    return this.last;
  }

  private sign(now: number): Promise<string> {
    return new SignJWT({ application_id: this.id })
      .setProtectedHeader({ alg: "RS256", typ: "JWT" })
      .setIssuedAt(now)
      .setJti(randomUUID())
      .setExpirationTime(now + LIFE_SECONDS)
      .sign(this.key);
  }
}

function rsaKey(pem: string): KeyObject {
  const key = parsed(pem);
  if (key?.asymmetricKeyType !== "rsa" || (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_BITS)
    throw new TypeError(`the private key of a Vonage application must be RSA of at least ${MIN_BITS} bits, in PEM`);
  return key;
}

function parsed(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined; // OpenSSL's message would not help the operator
  }
}
