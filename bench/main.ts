import { writeFileSync } from "node:fs";
import { describeMachine } from "./figures/machine.js";
import { tell } from "./figures/row.js";
import { printTable } from "./figures/table.js";
import { readOptions } from "./options.js";
import { chosenRows } from "./rows.js";

const options = readOptions(process.argv.slice(2));
const machine = describeMachine();
const results = [];
for (const row of chosenRows(options.rows)) {
  tell(`${row.name} …`);
  const { run, ...about } = row;
  results.push({ ...about, ...(await run(options)) });
}
process.stdout.write(printTable(machine, results));
if (options.json !== undefined)
  writeFileSync(options.json, `${JSON.stringify({ machine, options, results }, null, 2)}\n`);
