/** The directions that imports may take. The README's picture shows why. */
const folder = (...names) => `^src/(?:${names.join("|")})/`;

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "domain-knows-nothing-around-it",
      comment: "src/otp is the domain: it imports nothing of ours but itself.",
      severity: "error",
      from: { path: folder("otp") },
      to: { path: "^(?:src|cmd)/", pathNot: folder("otp") },
    },
    {
      name: "domain-does-no-io",
      comment: "src/otp uses no package, and of Node.js only what computes.",
      severity: "error",
      from: { path: folder("otp") },
      to: { dependencyTypesNot: ["local"], pathNot: "^(?:node:)?(?:crypto|url)$" },
    },
    {
      name: "technologies-do-not-know-each-other",
      comment: "api, redis, queue and delivery each know the domain, and none of the others.",
      severity: "error",
      from: { path: "^src/(api|redis|queue|delivery)/" },
      to: { path: folder("api", "redis", "queue", "delivery"), pathNot: "^src/$1/" },
    },
    {
      name: "generated-code-is-the-apis",
      comment: "Only src/api speaks protobuf.",
      severity: "error",
      from: { path: "^src/", pathNot: folder("api", "gen") },
      to: { path: folder("gen") },
    },
    {
      name: "nothing-imports-the-commands",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^cmd/" },
    },
    {
      name: "development-stays-out-of-the-binaries",
      comment: "cmd/dev is for npm start and the tests alone.",
      severity: "error",
      from: { path: "^(?:src|cmd/(?!dev/))" },
      to: { path: "^cmd/dev/" },
    },
    {
      name: "only-the-queue-knows-bullmq",
      severity: "error",
      from: { path: "^(?:src|cmd)/", pathNot: folder("queue") },
      to: { path: "node_modules/bullmq/" },
    },
    {
      name: "no-development-packages-at-run-time",
      severity: "error",
      from: { path: "^(?:src|cmd/(?!dev/))" },
      to: { dependencyTypes: ["npm-dev"] },
    },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-missing-modules", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      extensions: [".ts", ".js"],
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
    },
    tsConfig: { fileName: "tsconfig.json" },
  },
};
