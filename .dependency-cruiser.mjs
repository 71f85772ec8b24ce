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
      comment: "src/otp uses only what computes: of Node.js, a bounded map, and the package that knows phone numbers.",
      severity: "error",
      from: { path: folder("otp") },
      to: {
        dependencyTypesNot: ["local"],
        pathNot: "^(?:node:)?(?:crypto|url)$|node_modules/(?:libphonenumber-js|lru-cache)/",
      },
    },
    {
      name: "technologies-know-the-domain-alone",
      comment: "api, redis, queue, delivery and dns each know the domain, and nothing else of ours.",
      severity: "error",
      from: { path: "^src/(api|redis|queue|delivery|dns)/" },
      to: { path: "^src/", pathNot: ["^src/$1/", folder("otp", "http", "gen")] },
    },
    {
      name: "shared-files-know-no-technology",
      comment: "What both binaries share stands beside the folders, and does not put them together: cmd does.",
      severity: "error",
      from: { path: "^src/(?:[^/]+\\.ts$|config/)" },
      to: { path: folder("api", "redis", "queue", "delivery", "dns", "gen") },
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
      from: { path: "^(?:src|dev)/" },
      to: { path: "^cmd/" },
    },
    {
      name: "nothing-imports-the-benchmark",
      severity: "error",
      from: { pathNot: "^bench/" },
      to: { path: "^bench/" },
    },
    {
      name: "nothing-imports-the-pages",
      comment: "What they import is held by biome.json, for the parser used here does not read JSX.",
      severity: "error",
      from: { pathNot: "^web/" },
      to: { path: "^web/" },
    },
    {
      name: "development-stays-out-of-the-binaries",
      comment: "dev and cmd/dev are for npm start and the tests.",
      severity: "error",
      from: { path: "^(?:src|cmd/(?!dev/))" },
      to: { path: "^(?:cmd/)?dev/" },
    },
    ...Object.entries({
      bullmq: ["queue"],
      ioredis: ["redis", "queue"],
      "rate-limiter-flexible": ["redis"],
      "forwarded-parse": ["api"],
      "dns-packet": ["dns"],
      nodemailer: ["delivery"],
      handlebars: ["delivery"],
      "sms-segments-calculator": ["delivery"],
      "@aws-sdk": ["delivery"],
      standardwebhooks: ["delivery"],
      jose: ["delivery"],
      "libphonenumber-js": ["otp"],
      "@grpc": ["api"],
      "@connectrpc": ["api"],
      "@bufbuild": ["api", "gen"],
    }).map(([name, folders]) => ({
      name: `${name}-stays-in-its-folder`,
      severity: "error",
      from: { path: "^(?:src|cmd)/", pathNot: folder(...folders) },
      to: { path: `node_modules/${name}/` },
    })),
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
