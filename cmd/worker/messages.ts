import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { WorkerConfig } from "../../src/config/worker.js";
import { Templates } from "../../src/delivery/templates/templates.js";

const BUILT_IN = new URL("../../templates/", import.meta.url);

/** Loads the templates in `TEMPLATES_DIR`, or ours if it is not set. @throws if one of them cannot be used */
export function loadTemplates({ TEMPLATES_DIR }: Pick<WorkerConfig, "TEMPLATES_DIR">): Templates {
  return Templates.load(TEMPLATES_DIR === undefined ? BUILT_IN : pathToFileURL(resolve(TEMPLATES_DIR)));
}

/** @returns a line if the templates in `TEMPLATES_DIR` cannot be used */
export function templateProblems(config: Pick<WorkerConfig, "TEMPLATES_DIR">): readonly string[] {
  if (config.TEMPLATES_DIR === undefined) return [];
  try {
    loadTemplates(config);
    return [];
  } catch (error) {
    return [`TEMPLATES_DIR cannot be used: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** The name that messages use for the service: `BRAND_NAME`, otherwise the name in `MAIL_FROM`, otherwise ours. */
export function brandName({ BRAND_NAME, MAIL_FROM }: Pick<WorkerConfig, "BRAND_NAME" | "MAIL_FROM">): string {
  return BRAND_NAME ?? MAIL_FROM?.name ?? "Countersign";
}
