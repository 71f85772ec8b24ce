import { type Browser, chromium } from "playwright-core";
import { findOrInstall } from "./programs.js";

const CHROMIUM = {
  title: "Chromium",
  names: ["chromium", "chromium-browser", "google-chrome"],
  path: "/usr/bin/chromium",
  packages: { apt: "chromium", brew: "chromium" },
  variable: "CHROMIUM_PATH",
};

/** The path of a browser: `CHROMIUM_PATH`, else the system's, which is installed where there is none. */
export function chromiumPath(): string {
  return process.env.CHROMIUM_PATH || findOrInstall(CHROMIUM);
}

/** A real browser without a window, that asks nobody for anything by itself. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"],
    chromiumSandbox: false, // root has none
  });
}
