import type { Machine } from "./machine.js";
import type { Figures, Ratio } from "./pair.js";
import type { Outcome, Row } from "./row.js";

type Result = Omit<Row, "run"> & Outcome;

/** Formats the results as a Markdown table, with the machine above it and the notes of the rows below it. */
export function printTable({ date, processor, cores, memoryGiB, node }: Machine, results: readonly Result[]): string {
  const machine = `${date}, ${processor}, ${cores} cores, ${memoryGiB} GiB, Node.js ${node}`;
  const head = [
    "row",
    "per second",
    "p50 ms",
    "p99 ms",
    "against",
    "per second",
    "p50 ms",
    "p99 ms",
    "ratio",
    "aim",
    "",
    "load",
  ];
  const rows = results.map(({ name, ours, against, other, ratio, aim, isMet, load }) => [
    name,
    ...cells(ours),
    against,
    ...cells(other),
    ratio === undefined ? "" : spread(ratio),
    aim,
    isMet ? "met" : "not met",
    load,
  ]);
  const said = results.flatMap(({ name, said }) => (said === undefined ? [] : [`${name}: ${said}`]));
  return `${[machine, "", ...align([head, ...rows]), "", ...said].join("\n").trim()}\n`;
}

function cells(figures: Figures | undefined): string[] {
  const { perSecond, p50, p99 } = figures ?? {};
  return [perSecond?.toFixed(0) ?? "", p50?.toFixed(2) ?? "", p99?.toFixed(2) ?? ""];
}

/** The median of the rounds, with the lowest and the highest in brackets. */
function spread({ median, least, most }: Ratio): string {
  return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

function align([head = [], ...rows]: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, n) => Math.max(3, title.length, ...rows.map((row) => row[n]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)];
}
