import { writeFileSync } from "node:fs";
import { previewPage } from "../../dev/preview.js";
import { mailFrom } from "../../src/config/values.js";
import { WORKER } from "../../src/config/worker.js";
import { drawCode } from "../../src/otp/challenge/code.js";
import { configOrExit } from "../config-or-exit.js";
import { brandName, loadTemplates } from "../worker/messages.js";

const PAGE = "preview.html";

const config = configOrExit({
  OTP_LENGTH: WORKER.OTP_LENGTH,
  OTP_TTL_SECONDS: WORKER.OTP_TTL_SECONDS,
  MAIL_FROM: mailFrom({ default: undefined }),
  BRAND_NAME: WORKER.BRAND_NAME,
  SMS_ORIGIN: WORKER.SMS_ORIGIN,
  TEMPLATES_DIR: WORKER.TEMPLATES_DIR,
});

try {
  const page = previewPage(loadTemplates(config), {
    code: drawCode(config.OTP_LENGTH),
    leftMs: config.OTP_TTL_SECONDS * 1000,
    brand: brandName(config),
    origin: config.SMS_ORIGIN,
  });
  writeFileSync(PAGE, page);
  console.log(`Open ${PAGE} in a browser: it shows every template.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
