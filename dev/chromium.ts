import { type Browser, chromium } from "playwright-core";
import { findOrInstall } from "./programs.js";

const CHROMIUM = {
  title: "Chromium",
  names: ["chromium", "chromium-browser", "google-chrome"],
  path: "/usr/bin/chromium",
  packages: { apt: "chromium", brew: "chromium" },
  variable: "CHROMIUM_PATH",
};

/** The path of the browser: `CHROMIUM_PATH`, or else the system's, which is installed if it is missing. */
export function chromiumPath(): string {
  return process.env.CHROMIUM_PATH || findOrInstall(CHROMIUM);
}

/** Starts a headless browser that makes no requests of its own. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"],
    chromiumSandbox: false, // root cannot use it
  });
}
