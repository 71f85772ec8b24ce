import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import fresh from "fresh";
import Negotiator from "negotiator";
import send from "send";
import { methodNotAllowed, NOT_FOUND, sendProblem } from "../../http/problem.js";
import type { Channel } from "../../otp/recipient/recipient.js";

/** The settings of the server that the page cannot learn from a call. */
export interface PageSettings {
  /** Digits. */
  readonly codeLength: number;
  /** Wrong attempts that one token allows. */
  readonly maxAttempts: number;
  /** The channels that can carry a code. */
  readonly channels: readonly Channel[];
}

/** They block inline code, framing, and everything that another origin serves (CSP Level 3, Trusted Types). */
const SECURITY_HEADERS = new Headers({
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
});
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
/** The compressed copies that the build adds to a file. The client gets the first one that it accepts. */
const COPIES = { br: ".br", gzip: ".gz" };
const ASSETS = { maxAge: "365d", immutable: true, acceptRanges: false, index: false };
/** Headers about the file. An error must not keep them: caches would store it for a year. */
const FILE_HEADERS = ["Cache-Control", "Content-Encoding", "ETag", "Last-Modified"];
const PRECONDITION_FAILED = { status: 412, detail: "the file does not meet the condition of this request" };
const PLACE = '<meta name="countersign" content="{}">';

/**
 * Serves the page that `npm run build` made: `/`, with the settings in it, from memory, and the files under `/assets/`, whose
 * names contain their hash, with `send`. When a file vanishes while it is served, `send` fails that request alone, with a 404
 * if it still can; sirv ends the process, and Hono's `serveStatic` breaks off a response with status 200. `serveStatic` also
 * has no ETag, overlooks an encoding that has a weight, and needs 2.4 MB, where `send` and `negotiator` add 0.55 MB.
 */
export class PageRoutes {
  private readonly html: Buffer;
  private readonly etag: string;
  private readonly files: ReadonlySet<string>;

  /** @throws when the folder does not contain a page */
  constructor(
    private readonly folder: string,
    settings: PageSettings,
  ) {
    const html = readFileSync(join(folder, "index.html"), "utf8");
    if (!html.includes(PLACE)) throw new Error("the page has no place for its settings");
    const json = JSON.stringify(settings).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    this.html = Buffer.from(html.replace(PLACE, () => PLACE.replace("{}", () => json)));
    this.etag = `W/"${createHash("sha256").update(this.html).digest("base64url").slice(0, 22)}"`;
    this.files = new Set(readdirSync(join(folder, "assets")).map((name) => `/assets/${name}`));
  }

  /** @returns whether the page has a file at this path */
  serves(path: string): boolean {
    return path === "/" || (this.files.has(path) && extname(path) in CONTENT_TYPES);
  }

  handle(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> | void {
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") return sendProblem(response, methodNotAllowed("GET, HEAD"));
    response.setHeaders(SECURITY_HEADERS).appendHeader("Vary", "Accept-Encoding"); // CORS may have set Vary
    return path === "/" ? this.sendHtml(request, response) : this.sendAsset(path, request, response);
  }

  private sendHtml({ method, headers }: IncomingMessage, response: ServerResponse): void {
    response.setHeader("Cache-Control", "no-cache").setHeader("ETag", this.etag);
    const isKept = fresh(headers, { etag: this.etag });
    if (!isKept)
      response.setHeader("Content-Type", "text/html; charset=utf-8").setHeader("Content-Length", this.html.length);
    response.writeHead(isKept ? 304 : 200).end(isKept || method === "HEAD" ? undefined : this.html);
  }

  private sendAsset(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const accepted = new Negotiator(request).encodings(Object.keys(COPIES));
    const copies = Object.entries(COPIES).filter(([, extension]) => this.files.has(path + extension));
    const [encoding, extension = ""] = copies.find(([name]) => accepted.includes(name)) ?? [];
    response.setHeader("Content-Type", CONTENT_TYPES[extname(path)] ?? "");
    if (encoding !== undefined) response.setHeader("Content-Encoding", encoding);

    return new Promise((resolve, reject) => {
      response.once("close", resolve);
      const fail = (error: { readonly status: number }) => {
        if (response.headersSent) return reject(error);
        for (const name of FILE_HEADERS) response.removeHeader(name);
        if (error.status >= 500) reject(error);
        else sendProblem(response, error.status === 412 ? PRECONDITION_FAILED : NOT_FOUND);
      };
      send(request, path + extension, { ...ASSETS, root: this.folder })
        .on("error", fail)
        .on("directory", () => fail({ status: 404 }))
        .on("stream", (file) =>
          file.once("end", () => {
            if (file.bytesRead === response.getHeader("Content-Length")) return;
            response.destroy(); // the client would wait for the rest
            reject(new Error(`${path} became shorter while it was sent`));
          }),
        )
        .pipe(response);
    });
  }
}
