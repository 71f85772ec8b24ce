import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { methodNotAllowed, sendProblem } from "../../http/problem.js";
import type { Channel } from "../../otp/recipient/recipient.js";

/** What the page has to know of its server, and no call tells. */
export interface PageSettings {
  /** Digits. */
  readonly codeLength: number;
  /** Wrong tries that one token bears. */
  readonly maxAttempts: number;
  /** What a code can be sent to. */
  readonly channels: readonly Channel[];
}

/**
 * Serves the page as `npm run build` has made it: `/`, and under `/assets/` the files whose names hold their hash. It is read once,
 * for it is small, and a file that is replaced or removed meanwhile is then nobody's trouble.
 */
export class PageRoutes {
  private readonly files: ReadonlyMap<string, PageFile>;

  /** @throws when there is no page in the folder */
  constructor(folder: string, settings: PageSettings) {
    const html = withSettings(readFileSync(join(folder, "index.html"), "utf8"), settings);
    const assets = readdirSync(join(folder, "assets")).filter((name) => TYPES.has(extname(name)));
    this.files = new Map([
      ["/", new PageFile(Buffer.from(html), ".html", "no-cache")],
      ...assets.map((name) => [`/assets/${name}`, assetOf(join(folder, "assets", name))] as const),
    ]);
  }

  /** @returns whether a file of the page is under this path */
  serves(path: string): boolean {
    return this.files.has(path);
  }

  handle(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (request.method === "GET" || request.method === "HEAD") this.files.get(path)?.send(request, response);
    else sendProblem(response, methodNotAllowed("GET, HEAD"));
  }
}

const TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".svg", "image/svg+xml"],
]);

/** The first that a client takes is sent. */
const ENCODINGS = [
  { name: "br", extension: ".br" },
  { name: "gzip", extension: ".gz" },
] as const;

/**
 * Nothing but what this server itself serves is run, shown or called, nothing is written into the page as text, and no other page
 * frames it (CSP Level 3, Trusted Types).
 */
const HEADERS = {
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

const FOR_GOOD = "public, max-age=31536000, immutable";

/** One file, with the forms of it that are compressed already. */
class PageFile {
  private readonly etag: string;

  constructor(
    private readonly content: Buffer,
    private readonly extension: string,
    private readonly caching: string,
    private readonly compressed: ReadonlyMap<string, Buffer> = new Map(),
  ) {
    this.etag = `W/"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
  }

  send({ method, headers }: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    response.setHeader("Cache-Control", this.caching);
    response.setHeader("ETag", this.etag);
    response.appendHeader("Vary", "Accept-Encoding"); // CORS may have written there, too
    if (isKept(headers["if-none-match"], this.etag)) {
      response.writeHead(304).end();
      return;
    }
    const accepted = acceptedEncodings(headers["accept-encoding"]);
    const encoding = [...this.compressed.keys()].find((name) => accepted.has(name));
    const body = (encoding !== undefined && this.compressed.get(encoding)) || this.content;
    response
      .writeHead(200, {
        "Content-Type": TYPES.get(this.extension),
        "Content-Length": body.length,
        ...(encoding !== undefined && { "Content-Encoding": encoding }),
      })
      .end(method === "HEAD" ? undefined : body);
  }
}

function assetOf(path: string): PageFile {
  const compressed = ENCODINGS.filter(({ extension }) => existsSync(path + extension)).map(
    ({ name, extension }) => [name, readFileSync(path + extension)] as const,
  );
  return new PageFile(readFileSync(path), extname(path), FOR_GOOD, new Map(compressed));
}

/** Whether a client has what it asks for: RFC 9110 §13.1.2, by the weak comparison. */
function isKept(header: string | undefined, etag: string): boolean {
  const bare = (tag: string) => tag.trim().replace(/^W\//, "");
  return header?.trim() === "*" || (header ?? "").split(",").some((tag) => bare(tag) === bare(etag));
}

/** RFC 9110 §12.5.3, less the weights: one that is refused, with a weight of 0, is not among them. */
function acceptedEncodings(header: string | string[] | undefined): ReadonlySet<string> {
  const parts = String(header ?? "")
    .toLowerCase()
    .split(",");
  return new Set(
    parts.filter((part) => !/;\s*q=0(?:\.0*)?\s*$/.test(part)).map((part) => part.split(";", 1)[0]?.trim() ?? ""),
  );
}

const PLACE = '<meta name="countersign" content="{}">';

function withSettings(html: string, settings: PageSettings): string {
  if (!html.includes(PLACE)) throw new Error("the page has no place for its settings");
  const json = JSON.stringify(settings).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return html.replace(PLACE, () => `<meta name="countersign" content="${json}">`);
}
