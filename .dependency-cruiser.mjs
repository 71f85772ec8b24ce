/** The directions that imports may take. The README's picture shows why. */
const folder = (...names) => `^src/(?:${names.join("|")})/`;

/** What the configuration knows about senders: their registry, and the settings of each. */
const SENDER_SETTINGS = [
  "^src/delivery/senders/(?:registry|settings)\\.ts$",
  "^src/delivery/senders/[^/]+/settings\\.ts$",
];

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
      comment: "redis, queue, delivery and dns each know the domain, and nothing else of ours.",
      severity: "error",
      from: { path: "^src/(redis|queue|delivery|dns)/", pathNot: SENDER_SETTINGS },
      to: { path: "^src/", pathNot: ["^src/$1/", folder("otp", "gen")] },
    },
    {
      name: "api-knows-the-domain-and-http",
      severity: "error",
      from: { path: folder("api") },
      to: { path: "^src/", pathNot: folder("api", "otp", "http", "gen") },
    },
    {
      name: "http-knows-nothing-of-ours",
      comment: "src/http is an HTTP server: it knows neither OTP nor protobuf.",
      severity: "error",
      from: { path: folder("http") },
      to: { path: "^(?:src|cmd|dev)/", pathNot: folder("http") },
    },
    {
      name: "sender-settings-define-variables",
      comment:
        "A sender's settings use the validators of src/config, and nothing else outside of delivery and the domain.",
      severity: "error",
      from: { path: SENDER_SETTINGS },
      to: { path: "^src/", pathNot: [folder("delivery", "otp"), "^src/config/values\\.ts$"] },
    },
    {
      name: "sender-settings-load-no-package",
      comment: "Every process reads all settings, but loads only the packages of the senders that it uses.",
      severity: "error",
      from: { path: SENDER_SETTINGS },
      to: { path: "node_modules/", pathNot: "node_modules/envalid/" },
    },
    {
      name: "configuration-knows-settings",
      comment:
        "src/config knows the settings of senders, and reads TLS files to check them. It knows no other technology.",
      severity: "error",
      from: { path: "^src/config/" },
      to: {
        path: "^src/",
        pathNot: [folder("config", "otp"), ...SENDER_SETTINGS, "^src/log\\.ts$", "^src/http/tls\\.ts$"],
      },
    },
    {
      name: "shared-files-know-no-technology",
      comment: "What both binaries share stands beside the folders, and does not put them together: cmd does.",
      severity: "error",
      from: { path: "^src/[^/]+\\.ts$" },
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
      send: ["api"],
      negotiator: ["api"],
      fresh: ["api"],
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
