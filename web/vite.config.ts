import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** The output folder of each page. The inbox goes to dev, which the release leaves out. */
const PLACES: Readonly<Record<string, string>> = {
  page: "../dist/web/page",
  inbox: "../dist/dev/inbox/page",
};

/**
 * `vite build -c web/vite.config.ts --mode page` (or `--mode inbox`) builds a page. Without `build`, Vite serves the page while you
 * edit it; calls go to a running `npm start`.
 */
export default defineConfig(({ mode }) => {
  const outDir = PLACES[mode];
  if (outDir === undefined) throw new Error(`--mode must be one of ${Object.keys(PLACES).join(", ")}`);
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  return {
    root: here(mode),
    base: "./",
    build: {
      outDir: here(outDir),
      emptyOutDir: true,
      target: "baseline-widely-available", // docs/page-and-inbox.md names these browsers
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0, // the page's policy blocks data: URLs
    },
    plugins: [compressed(here(outDir))],
    server: { proxy: { "/otp.v1.OtpService": "http://127.0.0.1:8080", "/api": "http://127.0.0.1:8025" } },
  };
});

/** Adds compressed copies of each file with a hashed name, so that no request waits for compression. */
function compressed(outDir: string): Plugin {
  return {
    name: "compressed",
    writeBundle() {
      const folder = join(outDir, "assets");
      for (const name of readdirSync(folder).filter((name) => /\.(?:js|css|svg)$/.test(name))) {
        const content = readFileSync(join(folder, name));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content));
      }
    },
  };
}
