import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const PAGE = new URL("../../docs/security.md", import.meta.url);
const rows = readFileSync(PAGE, "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| promise "))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe("the page of promises", () => {
  it.each(rows)("%s", (promise, _requirement, test) => {
    expect(promise).toMatch(/^[A-Z].*\.$/);
    const links = [...(test ?? "").matchAll(/\[(.+?)\]\((\.\.\/test\/[\w/.-]+\.ts)\)/g)];
    expect(links.length).toBeGreaterThan(0);
    for (const [, title, path] of links) {
      expect(readFileSync(new URL(String(path), PAGE), "utf8")).toContain(title);
    }
  });

  it("cites NIST, ASVS and RFCs", () => {
    const cited = rows.map(([, requirement]) => requirement).join();
    for (const source of ["NIST §3.1.3.2", "ASVS 6.5", "ASVS 6.6", "RFC 4226 §7.3"]) {
      expect(cited).toContain(source);
    }
  });
});
