import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const CHECKER = fileURLToPath(new URL("../../dev/check-expressions.mjs", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-expressions-"));
  mkdirSync(join(folder, "src"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function check(source: string, file = "src/some.tsx") {
  writeFileSync(join(folder, file), source);
  const { status, stderr } = spawnSync(process.execPath, [CHECKER, folder], { encoding: "utf8" });
  rmSync(join(folder, file));
  return { passes: status === 0, stderr };
}

describe("the check of regular expressions", () => {
  it.each([
    ["spaces at either end of a text", `export const trim = (text: string) => text.replace(/^ +| +$/g, "");`],
    ["an address anywhere in a text", String.raw`export const address = /[^\s<>"'(]+@[^\s<>"')]+|\+\d{7,15}\b/g;`],
    ["one repetition in another", String.raw`export const words = /^(?:\w+ ?)+$/;`],
    [
      "two repetitions that can take each other's characters",
      String.raw`export const key = /^Bearer(?:[ \t]+(.*))?$/i;`,
    ],
    ["a repetition after a character of any kind", `export const quoted = /".*"/;`],
    ["an expression inside JSX", String.raw`export const Page = (text: string) => <p>{text.replace(/\s+$/, "")}</p>;`],
    ["an expression made from text", "export const make = (text: string) => new RegExp(text);"],
  ])("refuses %s", (_what, source) => {
    const { passes, stderr } = check(source);
    expect(stderr).toContain("src/some.tsx: ");
    expect(passes).toBe(false);
  });

  it("accepts expressions of which each character of a text is read once", () => {
    expect(
      check(String.raw`export const some = [/^ +/, /^[a-z]+(?:\.[a-z]+)*$/, /(?<!\d)\d{6,10}(?!\d)/, /\p{Cf}/gu];`),
    ).toEqual({
      passes: true,
      stderr: "",
    });
  });
});
