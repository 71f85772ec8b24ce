import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { Access } from "../../../src/api/access/gate.js";
import type { ClientAction } from "../../../src/otp/caller/call.js";
import { startApi, type TestApi } from "../../support/api/api.js";
import { bufCurl } from "../../support/clients/buf.js";
import { callerOf, type ProtocolCaller, THREE_PROTOCOLS } from "../../support/clients/callers.js";
import { post } from "../../support/clients/http.js";

const keyFor = (name: string, key: string) => ({ name, digest: createHash("sha256").update(key).digest() });
const WEB = { authorization: "Bearer the-key-of-web" };
const KEYS = [keyFor("web", "an older key of web"), keyFor("shop", "the-key-of-shop"), keyFor("web", "the-key-of-web")];
const LIMIT = { limit: 10, windowMs: 60_000, remaining: 9, resetMs: 60_000 };

let api: TestApi;
let counted: [ClientAction, string][] = [];

afterEach(() => api.stop());

/** Callers over all three protocols of a service with this access. `counted` gets each client that is counted, and for what. */
async function open(access: Partial<Access>): Promise<readonly ProtocolCaller[]> {
  counted = [];
  api = await startApi({
    access,
    clientLimits: {
      spend: async (action, client) => {
        counted.push([action, client]);
        return { granted: true, quota: { ...LIMIT, action } };
      },
      giveBack: async () => undefined,
    },
  });
  const server = { http: api.http, grpc: `127.0.0.1:${api.grpcPort}` };
  return THREE_PROTOCOLS.map((protocol) => callerOf(protocol, server));
}

let serial = 0;
const someone = () => ({ email: `someone-${serial++}@example.com` });
const wrong = () => ({ ...someone(), otp: "123456" });

describe("with API keys,", () => {
  it("every call over every protocol needs a known key", async () => {
    for (const caller of await open({ keys: KEYS })) {
      for (const headers of [
        {},
        { authorization: "Bearer another-key" },
        { authorization: "Bearer" },
        { authorization: "Bearer " },
        { authorization: "the-key-of-web" },
        { authorization: "Basic dGhlLWtleS1vZi13ZWI6" },
        { authorization: "Bearer the-key-of-web and more" },
        { authorization: `Bearer ${createHash("sha256").update("the-key-of-web").digest("hex")}` },
      ]) {
        expect((await caller.generate(someone(), headers)).reason).toBe("UNAUTHENTICATED");
        expect((await caller.verify(wrong(), headers)).reason).toBe("UNAUTHENTICATED");
      }
      for (const authorization of ["Bearer the-key-of-web", "bearer  the-key-of-shop", "Bearer the-key-of-web"]) {
        expect((await caller.generate(someone(), { authorization })).reason).toBe("OK");
        expect((await caller.verify(wrong(), { authorization })).reason).toBe("OTP_INCORRECT");
      }
    }
    expect(api.jobs).toHaveLength(9);
  });

  it("a caller without a key is not told whether its request was valid", async () => {
    for (const caller of await open({ keys: KEYS })) {
      expect((await caller.generate({ email: "no address" })).reason).toBe("UNAUTHENTICATED");
    }
  });

  it("the answer over HTTP names the Bearer scheme", async () => {
    await open({ keys: KEYS });
    for (const path of ["/otp/generate", "/otp.v1.OtpService/Generate"]) {
      const { status, headers } = await post(api.http + path, someone());
      expect(status).toBe(401);
      expect(headers.get("WWW-Authenticate")).toBe("Bearer");
    }
  });

  it("public RPCs need no key, and the others do", async () => {
    for (const caller of await open({ keys: KEYS, publicRpcs: ["Verify"] })) {
      expect((await caller.verify(wrong())).reason).toBe("OTP_INCORRECT");
      expect((await caller.generate(someone())).reason).toBe("UNAUTHENTICATED");
      expect((await caller.verify(wrong(), { authorization: "Basic abc" })).reason).toBe("OTP_INCORRECT");
    }
  });

  it("an unknown key is refused even by a public RPC", async () => {
    for (const caller of await open({ keys: KEYS, publicRpcs: ["Verify"] })) {
      for (const authorization of ["Bearer typo", "Bearer", "Bearer two words"]) {
        expect((await caller.verify(wrong(), { authorization })).reason).toBe("UNAUTHENTICATED");
      }
    }
  });

  it("health checks and reflection need no key", async () => {
    await open({ keys: KEYS });
    expect((await fetch(`${api.http}/health`)).status).toBe(200);
    const grpc = ["--http2-prior-knowledge", "--protocol", "grpc"];
    const base = `http://127.0.0.1:${api.grpcPort}`;
    expect(await bufCurl(...grpc, "--list-services", base)).toContain("otp.v1.OtpService");
    const check = await bufCurl(...grpc, `${base}/grpc.health.v1.Health/Check`);
    expect(JSON.parse(check)).toHaveProperty("status");
  });
});

describe("with public RPCs and no keys,", () => {
  it("no caller can call the other RPCs", async () => {
    for (const caller of await open({ publicRpcs: ["Generate"] })) {
      expect((await caller.generate(someone(), WEB)).reason).toBe("OK");
      expect((await caller.verify(wrong(), WEB)).reason).toBe("UNAUTHENTICATED");
    }
  });
});

describe("the client that a call counts for", () => {
  const clients = () => new Set(counted.map(([, client]) => client)).size;

  it("is none when a backend calls for itself", async () => {
    for (const caller of await open({ keys: KEYS, proxies: 1 })) {
      await caller.generate(someone(), WEB);
      await caller.verify(wrong(), { ...WEB, "x-forwarded-for": "203.0.113.9" });
    }
    expect(counted).toEqual([]);
  });

  it("is the address in otp-client-ip when a backend sends it", async () => {
    for (const caller of await open({ keys: KEYS })) {
      await caller.generate(someone(), { ...WEB, "otp-client-ip": "203.0.113.9" });
      await caller.verify(wrong(), { ...WEB, "otp-client-ip": "203.0.113.9" });
      await caller.verify(wrong(), { ...WEB, "otp-client-ip": "203.0.113.10" });
    }
    expect(counted).toHaveLength(9);
    expect(clients()).toBe(2);
  });

  it("must be an IP address when a backend names it", async () => {
    for (const caller of await open({ keys: KEYS })) {
      for (const client of ["somewhere", ""]) {
        const ending = await caller.generate(someone(), { ...WEB, "otp-client-ip": client });
        expect(ending).toMatchObject({ reason: "INVALID_REQUEST", message: "otp-client-ip must be an IP address" });
      }
    }
  });

  it("is never an address that a caller without a key sends", async () => {
    for (const caller of await open({ publicRpcs: ["Generate", "Verify"] })) {
      for (const n of [1, 2, 3]) {
        await caller.generate(someone(), { "otp-client-ip": `203.0.113.${n}`, "x-forwarded-for": `203.0.113.${n}` });
        await caller.verify(wrong(), { "otp-client-ip": "nonsense", forwarded: `for=203.0.113.${n}` });
      }
    }
    expect(counted).toHaveLength(18);
    expect(clients()).toBe(1);
  });

  it("is the address that a trusted proxy adds, over every protocol", async () => {
    for (const caller of await open({ proxies: 1 })) {
      await caller.generate(someone(), { "x-forwarded-for": "203.0.113.9" });
      await caller.generate(someone(), { forwarded: "for=203.0.113.9" });
      await caller.generate(someone(), { "x-forwarded-for": "10.1.1.1, 203.0.113.10" });
    }
    expect(counted).toHaveLength(9);
    expect(clients()).toBe(2);
  });
});
