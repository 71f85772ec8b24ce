import { fileURLToPath } from "node:url";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";

/** The page may load from and call only its own server, and may frame the mails that this server shows. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The page as Vite built it; the file names in `assets` contain a hash of the content. */
export function pageFiles(folder: URL): Hono {
  const root = fileURLToPath(folder);
  return new Hono()
    .get(
      "/",
      serveStatic({
        root,
        onFound: (_path, context) => {
          context.header("Content-Security-Policy", PAGE_POLICY);
          context.header("Cache-Control", "no-cache");
        },
      }),
    )
    .get(
      "/assets/*",
      serveStatic({
        root,
        precompressed: true,
        onFound: (_path, context) => {
          context.header("Cache-Control", "public, max-age=31536000, immutable");
        },
      }),
    );
}
