import { writeFileSync } from "node:fs";
import { renderConfiguration } from "../../dev/reference/configuration.js";
import { renderEnvExample } from "../../dev/reference/env-example.js";

writeFileSync("docs/configuration.md", renderConfiguration());
writeFileSync(".env.example", renderEnvExample());
