import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BUF = join(ROOT, "node_modules/.bin/buf");
const RELEASED = "proto/released.binpb";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-proto-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Changes the current API, and compares it with the released one. @returns what buf reports as broken */
function breaks(change: (api: FileDescriptorSet) => void): string {
  const image = join(folder, "image.binpb");
  execFileSync(BUF, ["build", "--path", "proto/otp", "-o", image], { cwd: ROOT });
  const api = fromBinary(FileDescriptorSetSchema, readFileSync(image));
  change(api);
  writeFileSync(image, toBinary(FileDescriptorSetSchema, api));
  return spawnSync(BUF, ["breaking", image, "--against", RELEASED, "--exclude-imports"], {
    cwd: ROOT,
    encoding: "utf8",
  }).stdout;
}

function messageOf(api: FileDescriptorSet, name: string) {
  const file = api.file.find(({ package: packageName }) => packageName === "otp.v1");
  const message = file?.messageType.find((candidate) => candidate.name === name);
  if (message === undefined) throw new Error(`no message ${name}`);
  return message;
}

describe("the check for breaking changes", () => {
  it("reports nothing for the current API", () => {
    expect(breaks(() => undefined)).toBe("");
  });

  it("reports a renamed field and a removed one", () => {
    const renamed = breaks((api) => {
      const [token] = messageOf(api, "WatchRequest").field;
      if (token) token.name = "session";
    });
    expect(renamed).toContain('on message "WatchRequest" changed name from "token" to "session"');
    expect(breaks((api) => void messageOf(api, "VerifyRequest").field.shift())).toContain(
      'on message "VerifyRequest" was deleted',
    );
  });
});
