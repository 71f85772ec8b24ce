import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { str } from "envalid";
import { WORKER } from "../../../src/config.js";
import { mailFrom, path } from "../../../src/config-values.js";
import { Templates } from "../../../src/delivery/render.js";
import { drawCode } from "../../../src/otp/code.js";
import { configOrExit } from "../../config-or-exit.js";
import { previewPage } from "./page.js";

const BUILT_IN = new URL("../../../templates/", import.meta.url);
const PAGE = "preview.html";

const config = configOrExit({
  OTP_LENGTH: WORKER.OTP_LENGTH,
  OTP_TTL_SECONDS: WORKER.OTP_TTL_SECONDS,
  MAIL_FROM: mailFrom({ default: { name: "Countersign", address: "otp@countersign.example" } }),
  BRAND_NAME: str({ default: undefined }),
  SMS_ORIGIN: str({ default: undefined }),
  TEMPLATES_DIR: path({ default: undefined }),
});

try {
  const folder = config.TEMPLATES_DIR === undefined ? BUILT_IN : pathToFileURL(resolve(config.TEMPLATES_DIR));
  const page = previewPage(Templates.load(folder), {
    code: drawCode(config.OTP_LENGTH),
    leftMs: config.OTP_TTL_SECONDS * 1000,
    sender: config.BRAND_NAME ?? config.MAIL_FROM.name,
    origin: config.SMS_ORIGIN,
  });
  writeFileSync(PAGE, page);
  console.log(`Every template is in ${PAGE}: open it in a browser.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
