import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { PageRoutes } from "../../../src/api/rest/page.js";
import { startApi, type TestApi } from "../../support/api/api.js";

const BUILT = fileURLToPath(new URL("../../../dist/web/page/", import.meta.url));
const SETTINGS = { codeLength: 8, maxAttempts: 3, channels: ["email", "sms"] } as const;

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ page: new PageRoutes(BUILT, SETTINGS) });
});
afterAll(() => api.stop());

/** One request, with its path and headers as they are given: fetch would tidy them up. */
async function ask(path: string, headers: Record<string, string> = {}, method = "GET") {
  const sent = request({ port: api.httpPort, path, headers, method }).end();
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>((resolve, reject) => {
    sent.once("error", reject);
    sent.once("response", async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
    });
  });
}

async function scriptPath(): Promise<string> {
  const { body } = await ask("/");
  return `/${/src="\.\/(assets\/[\w.-]+\.js)"/.exec(body.toString())?.[1]}`;
}

describe("the page", () => {
  it("is served at / with what it has to know of the server", async () => {
    const { status, headers, body } = await ask("/");
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    const content = /<meta name="countersign" content="([^"]*)">/.exec(body.toString())?.[1] ?? "";
    expect(JSON.parse(content.replaceAll("&quot;", '"'))).toEqual(SETTINGS);
  });

  it("runs, loads and calls nothing but what its server serves, and is framed by nobody", async () => {
    const { headers, body } = await ask("/");
    const policy = String(headers["content-security-policy"]).split("; ");
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ]),
    );
    expect(policy.join()).not.toContain("unsafe");
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
    });
    expect(body.toString()).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|https?:/);
  });

  it("is asked for again each time, and sent again only where it has changed", async () => {
    const { headers } = await ask("/");
    expect(headers["cache-control"]).toBe("no-cache");
    const again = await ask("/", { "If-None-Match": String(headers.etag) });
    expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
    expect(again.headers["content-security-policy"]).toBe(headers["content-security-policy"]);
    expect((await ask("/", { "If-None-Match": 'W/"another"' })).status).toBe(200);
  });

  it("is known again by a tag that a proxy has made strong, among others, and by any", async () => {
    const tag = String((await ask("/")).headers.etag);
    for (const known of [tag, tag.replace("W/", ""), `"another", ${tag}`, "*"]) {
      expect((await ask("/", { "If-None-Match": known })).status).toBe(304);
    }
    for (const unknown of ["", '""', tag.slice(0, -2), `"another ${tag}"`]) {
      expect((await ask("/", { "If-None-Match": unknown })).status).toBe(200);
    }
  });

  it("is served as what a proxy would be asked for, also without a path", async () => {
    for (const target of ["http://example.com/", "http://example.com", "http://example.com?a=b"]) {
      expect((await ask(target)).headers["content-type"]).toBe("text/html; charset=utf-8");
    }
  });

  it("tells caches that it differs by origin where CORS is on", async () => {
    const corsOrigins = ["https://one.example", "https://two.example"];
    const open = await startApi({ page: new PageRoutes(BUILT, SETTINGS), corsOrigins });
    onTestFinished(() => open.stop());
    const { headers } = await fetch(open.http, { headers: { Origin: "https://two.example" } });
    expect(headers.get("Access-Control-Allow-Origin")).toBe("https://two.example");
    expect(headers.get("Vary")).toBe("Origin, Accept-Encoding");
  });

  it("has files with hashed names, which are kept for good", async () => {
    const { status, headers } = await ask(await scriptPath());
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
      vary: "Accept-Encoding",
    });
  });

  it.each([
    ["gzip, deflate, br", "br", brotliDecompressSync],
    ["gzip", "gzip", gunzipSync],
    ["br;q=0, gzip;q=0.5", "gzip", gunzipSync],
    ["br;Q=0, GZIP", "gzip", gunzipSync],
    ["identity", undefined, (body: Buffer) => body],
    ["", undefined, (body: Buffer) => body],
  ] as const)("is compressed for a client that accepts %j", async (accepted, encoding, decode) => {
    const path = await scriptPath();
    const plain = await ask(path);
    const { headers, body } = await ask(path, { "Accept-Encoding": accepted });
    expect(headers["content-encoding"]).toBe(encoding);
    expect(headers["content-length"]).toBe(String(body.length));
    expect(decode(body).equals(plain.body)).toBe(true);
  });

  it("answers HEAD with the same headers, and 405 to anything that would change it", async () => {
    const [get, head] = [await ask("/"), await ask("/", {}, "HEAD")];
    expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(head.headers["content-length"]).toBe(String(get.body.length));
    const posted = await ask("/", {}, "POST");
    expect(posted).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });

  it.each([
    "/index.html",
    "/assets/",
    "/assets/none.js",
    "/assets/../index.html",
    "/assets/%2e%2e/index.html",
    "/../../../package.json",
    "//etc/passwd",
    "/assets/%ff",
  ])("serves nothing else: %s", async (path) => {
    const { status, headers } = await ask(path);
    expect(status).toBe(404);
    expect(headers["content-type"]).toBe("application/problem+json");
  });

  it("has at most 90 KB of JavaScript, gzipped", async () => {
    const { body } = await ask(await scriptPath(), { "Accept-Encoding": "gzip" });
    expect(body.length).toBeLessThanOrEqual(90_000);
  });
});

it("is not there unless it is asked for", async () => {
  const without = await startApi();
  expect((await fetch(`${without.http}/`)).status).toBe(404);
  await without.stop();
});
