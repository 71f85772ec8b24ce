import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Where each of the two pages goes. The inbox lies in dev, which no release has. */
const PLACES: Readonly<Record<string, string>> = {
  page: "../dist/web/page",
  inbox: "../dist/dev/inbox/page",
};

/** `vite build -c web/vite.config.ts --mode page`, or `--mode inbox`. Without `build` it serves the page as it is edited, beside a running `npm start`. */
export default defineConfig(({ mode }) => {
  const outDir = PLACES[mode];
  if (outDir === undefined) throw new Error(`--mode is one of ${Object.keys(PLACES).join(", ")}`);
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  return {
    root: here(mode),
    base: "./",
    build: {
      outDir: here(outDir),
      emptyOutDir: true,
      target: "es2022",
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0, // the policy of the page takes nothing from data: URLs
    },
    plugins: [compressed(here(outDir))],
    server: { proxy: { "/otp.v1.OtpService": "http://127.0.0.1:8080", "/api": "http://127.0.0.1:8025" } },
  };
});

/** Lays a compressed copy beside each file with a hashed name, so that no request waits for one. */
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
