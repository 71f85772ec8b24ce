import type { Row } from "./figures/row.js";
import { DELIVER } from "./rows/deliver.js";
import { generateRows } from "./rows/generate.js";
import { GROWTH } from "./rows/growth.js";
import { LATENCY } from "./rows/latency.js";
import { MEMORY } from "./rows/memory.js";
import { scaleRows } from "./rows/scale.js";
import { verifyRows } from "./rows/verify.js";

/** All rows, in the order of the table. */
function allRows(): readonly Row[] {
  return [...verifyRows(), ...generateRows(), DELIVER, LATENCY, GROWTH, MEMORY, ...scaleRows()];
}

/** @param wanted parts of row names; empty for all rows @throws if a part matches no row */
export function chosenRows(wanted: readonly string[]): readonly Row[] {
  const rows = allRows();
  for (const part of wanted) {
    if (!rows.some(({ name }) => name.includes(part))) {
      throw new Error(`no row matches "${part}"; the rows are ${rows.map(({ name }) => name).join("; ")}`);
    }
  }
  return wanted.length === 0 ? rows : rows.filter(({ name }) => wanted.some((part) => name.includes(part)));
}
