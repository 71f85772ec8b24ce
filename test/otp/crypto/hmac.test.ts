import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Hmac } from "../../../src/otp/crypto/hmac.js";

it("gives what RFC 4231 §4.2 to §4.4 give", () => {
  const mac = (key: Buffer, data: Buffer) => new Hmac(key).digest(data).toString("hex");
  expect(mac(Buffer.alloc(20, 0x0b), Buffer.from("Hi There"))).toBe(
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  );
  expect(mac(Buffer.from("Jefe"), Buffer.from("what do ya want for nothing?"))).toBe(
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
  expect(mac(Buffer.alloc(20, 0xaa), Buffer.alloc(50, 0xdd))).toBe(
    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
  );
});

it("gives what Node.js gives, for keys and messages of any length, one after the other, whole or in parts", () => {
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
  const part = fc.oneof(bytes(2_000), fc.string({ unit: "binary", maxLength: 700 }));
  fc.assert(
    fc.property(bytes(64), fc.array(fc.array(part, { maxLength: 4 }), { maxLength: 5 }), (key, messages) => {
      const hmac = new Hmac(key);
      for (const parts of messages) {
        const expected = createHmac("sha256", key);
        for (const one of parts) expected.update(one);
        expect(hmac.digest(...parts)).toEqual(expected.digest());
      }
    }),
  );
});

it("takes no key that is longer than a block", () => {
  expect(() => new Hmac(Buffer.alloc(65))).toThrow();
});
