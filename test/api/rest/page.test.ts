import fs, { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { PageRoutes } from "../../../src/api/rest/page.js";
import { startApi, type TestApi } from "../../support/api/api.js";

const BUILT = fileURLToPath(new URL("../../../dist/web/page/", import.meta.url));
const SETTINGS = { codeLength: 8, maxAttempts: 3, channels: ["email", "sms"] } as const;

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ page: new PageRoutes(BUILT, SETTINGS) });
});
afterAll(() => api.stop());

/** One request with this path and these headers, which fetch would normalize. */
async function ask(path: string, headers: Record<string, string> = {}, method = "GET", port = api.httpPort) {
  const sent = request({ port, path, headers, method }).end();
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
  it("is served at / with the settings of the server", async () => {
    const { status, headers, body } = await ask("/");
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    const content = /<meta name="countersign" content="([^"]*)">/.exec(body.toString())?.[1] ?? "";
    expect(JSON.parse(content.replaceAll("&quot;", '"'))).toEqual(SETTINGS);
  });

  it("may run, load and call only what its own server serves, and may not be framed", async () => {
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

  it("is revalidated on every request, and sent again only after a change", async () => {
    const { headers } = await ask("/");
    expect(headers["cache-control"]).toBe("no-cache");
    const again = await ask("/", { "If-None-Match": String(headers.etag) });
    expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
    expect(again.headers["content-security-policy"]).toBe(headers["content-security-policy"]);
    expect((await ask("/", { "If-None-Match": 'W/"another"' })).status).toBe(200);
  });

  it("is answered 304 for its ETag, weak or strong, alone or in a list, and for *", async () => {
    const tag = String((await ask("/")).headers.etag);
    for (const matching of [tag, tag.replace("W/", ""), `"another", ${tag}`, "*"]) {
      expect((await ask("/", { "If-None-Match": matching })).status).toBe(304);
    }
    for (const other of ["", '""', tag.slice(0, -2), `"another ${tag}"`]) {
      expect((await ask("/", { "If-None-Match": other })).status).toBe(200);
    }
  });

  it("is served for an absolute URL, with or without a path", async () => {
    for (const target of ["http://example.com/", "http://example.com", "http://example.com?a=b"]) {
      expect((await ask(target)).headers["content-type"]).toBe("text/html; charset=utf-8");
    }
  });

  it("varies by Origin when CORS is on", async () => {
    const corsOrigins = ["https://one.example", "https://two.example"];
    const open = await startApi({ page: new PageRoutes(BUILT, SETTINGS), corsOrigins });
    onTestFinished(() => open.stop());
    const { headers } = await fetch(open.http, { headers: { Origin: "https://two.example" } });
    expect(headers.get("Access-Control-Allow-Origin")).toBe("https://two.example");
    expect(headers.get("Vary")).toBe("Origin, Accept-Encoding");
  });

  it("has files with hashed names, which may be cached forever", async () => {
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
  ] as const)("is encoded as Accept-Encoding asks: %j", async (accepted, encoding, decode) => {
    const path = await scriptPath();
    const plain = await ask(path);
    const { headers, body } = await ask(path, { "Accept-Encoding": accepted });
    expect(headers["content-encoding"]).toBe(encoding);
    expect(headers["content-length"]).toBe(String(body.length));
    expect(decode(body).equals(plain.body)).toBe(true);
  });

  it("answers HEAD with the headers of GET, and POST with 405", async () => {
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
  ])("does not expose %s", async (path) => {
    const { status, headers } = await ask(path);
    expect(status).toBe(404);
    expect(headers["content-type"]).toBe("application/problem+json");
  });

  it("has at most 90 KB of gzipped JavaScript", async () => {
    const { body } = await ask(await scriptPath(), { "Accept-Encoding": "gzip" });
    expect(body.length).toBeLessThanOrEqual(90_000);
  });
});

describe("the server, with files of the page that change while they are served,", () => {
  const SIZE = 64 * 1024 * 1024; // more than the buffers of a connection hold
  let folder: string;
  let server: TestApi;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "page-"));
    writeFileSync(join(folder, "index.html"), '<meta name="countersign" content="{}">');
    mkdirSync(join(folder, "assets", "folder.js"), { recursive: true });
    for (const name of ["large.js", "large.js.br", ".hidden.js", "small.js"]) writeFileSync(fileAt(name), name);
    truncateSync(fileAt("large.js"), SIZE);
    server = await startApi({ page: new PageRoutes(folder, SETTINGS) });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    const { status, body } = await get("small.js"); // whatever happened, the server goes on
    expect({ status, body: body.toString() }).toEqual({ status: 200, body: "small.js" });
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const fileAt = (name: string) => join(folder, "assets", name);
  const get = (name: string, headers: Record<string, string> = {}) =>
    ask(`/assets/${name}`, headers, "GET", server.httpPort);

  /** Changes a file after its size was read and before it is opened. */
  function beforeOpening(change: (path: string) => void): void {
    const { createReadStream } = fs;
    vi.spyOn(fs, "createReadStream").mockImplementationOnce((path, options) => {
      change(String(path));
      return createReadStream(path, options);
    });
  }

  /** Resolves when the client has the headers of the response, and not yet its body. */
  function startReading(name: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      request({ port: server.httpPort, path: `/assets/${name}` }, resolve)
        .once("error", reject)
        .end();
    });
  }

  async function lengthOf(response: IncomingMessage): Promise<number> {
    let length = 0;
    for await (const chunk of response) length += chunk.length;
    return length;
  }

  function expectNotFound({ status, headers }: Awaited<ReturnType<typeof ask>>): void {
    expect(status).toBe(404);
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(headers["cache-control"]).toBe("no-store");
    for (const name of ["etag", "last-modified", "content-encoding"]) expect(headers).not.toHaveProperty(name);
  }

  it("answers 404, which no cache keeps, for a file that has vanished", async () => {
    rmSync(fileAt("large.js.br"));
    expectNotFound(await get("large.js", { "Accept-Encoding": "br" }));
  });

  it("answers 404, which no cache keeps, for a file that vanishes before it is opened", async () => {
    beforeOpening(rmSync);
    expectNotFound(await get("large.js", { "Accept-Encoding": "br" }));
  });

  it("sends the whole of a file that vanishes after it was opened", async () => {
    const response = await startReading("large.js");
    rmSync(fileAt("large.js"));
    expect(await lengthOf(response)).toBe(SIZE);
  });

  it("breaks off and logs the response with a file that shrinks while a slow client reads it", async () => {
    const response = await startReading("large.js");
    truncateSync(fileAt("large.js"), 1000);
    await expect(lengthOf(response)).rejects.toThrow("aborted");
    expect(server.log.join()).toContain("/assets/large.js became shorter while it was sent");
  });

  it("breaks off and logs the response with a file that is emptied before it is opened", async () => {
    beforeOpening(truncateSync);
    await expect(get("large.js")).rejects.toThrow("socket hang up");
    expect(server.log.join()).toContain("/assets/large.js became shorter while it was sent");
  });

  it("answers 500, which no cache keeps, and logs a file that it cannot open", async () => {
    beforeOpening((path) => {
      rmSync(path);
      fs.symlinkSync(path, path);
    });
    const { status, headers } = await get("large.js");
    expect(status).toBe(500);
    expect(headers["cache-control"]).toBe("no-store");
    expect(server.log.join()).toContain("ELOOP");
  });

  it("sends a file again only if it changed since the client got it", async () => {
    const { etag, "last-modified": modified } = (await get("small.js")).headers;
    expect(await get("small.js", { "If-None-Match": String(etag) })).toMatchObject({
      status: 304,
      headers: { "cache-control": "public, max-age=31536000, immutable" },
    });
    expect((await get("small.js", { "If-Modified-Since": String(modified) })).status).toBe(304);
    expect((await get("small.js", { "If-None-Match": '"another"' })).status).toBe(200);
    expect((await get("small.js", { "If-Match": '"another"' })).status).toBe(412);
  });

  it("answers HEAD for a file with its length and no body", async () => {
    const { headers, body } = await ask("/assets/large.js", {}, "HEAD", server.httpPort);
    expect(headers["content-length"]).toBe(String(SIZE));
    expect(body.length).toBe(0);
  });

  it.each(["folder.js", ".hidden.js", "large.js.br"])("answers 404 without a redirect for %s", async (name) => {
    expectNotFound(await get(name));
  });
});

it("the server has no page unless it is configured", async () => {
  const without = await startApi();
  expect((await fetch(`${without.http}/`)).status).toBe(404);
  await without.stop();
});
