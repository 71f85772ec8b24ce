/** The allowed directions of imports. The diagram in docs/architecture.md shows why. */
const folder = (...names) => `^src/(?:${names.join("|")})/`;

/** The files of the senders that the configuration may import: their registry, and the settings of each sender. */
const SENDER_SETTINGS = [
  "^src/delivery/senders/(?:registry|settings)\\.ts$",
  "^src/delivery/senders/[^/]+/settings\\.ts$",
];

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "domain-knows-nothing-around-it",
      comment: "src/otp is the domain. It imports none of our other code.",
      severity: "error",
      from: { path: folder("otp") },
      to: { path: "^(?:src|cmd)/", pathNot: folder("otp") },
    },
    {
      name: "domain-does-no-io",
      comment:
        "src/otp does no I/O. It may use node:crypto, node:url, a bounded map and the packages that parse phone numbers and network addresses.",
      severity: "error",
      from: { path: folder("otp") },
      to: {
        dependencyTypesNot: ["local"],
        pathNot: "^(?:node:)?(?:crypto|url)$|node_modules/(?:ipaddr.js|libphonenumber-js|lru-cache)/",
      },
    },
    {
      name: "technologies-know-the-domain-alone",
      comment: "src/redis, src/queue, src/delivery and src/dns each import the domain and none of our other code.",
      severity: "error",
      from: { path: "^src/(redis|queue|delivery|dns)/", pathNot: SENDER_SETTINGS },
      to: { path: "^src/", pathNot: ["^src/$1/", folder("otp", "gen")] },
    },
    {
      name: "api-knows-the-domain-and-http",
      comment: "src/api imports the domain, src/http and the generated code, and none of our other code.",
      severity: "error",
      from: { path: folder("api") },
      to: { path: "^src/", pathNot: folder("api", "otp", "http", "gen") },
    },
    {
      name: "http-knows-nothing-of-ours",
      comment: "src/http is an HTTP server that is independent of OTP and protobuf. It imports none of our other code.",
      severity: "error",
      from: { path: folder("http") },
      to: { path: "^(?:src|cmd|dev)/", pathNot: folder("http") },
    },
    {
      name: "sender-settings-define-variables",
      comment:
        "The settings of a sender import the validators of src/config, and otherwise only src/delivery and the domain.",
      severity: "error",
      from: { path: SENDER_SETTINGS },
      to: { path: "^src/", pathNot: [folder("delivery", "otp"), "^src/config/(?:values|secrets)\\.ts$"] },
    },
    {
      name: "sender-settings-load-no-package",
      comment:
        "Every process reads the settings of all senders, but loads only the packages of the senders that it uses.",
      severity: "error",
      from: { path: SENDER_SETTINGS },
      to: { path: "node_modules/", pathNot: "node_modules/envalid/" },
    },
    {
      name: "configuration-knows-settings",
      comment:
        "src/config imports the settings of the senders, and src/http/tls to check TLS files. It imports no other technology.",
      severity: "error",
      from: { path: "^src/config/" },
      to: {
        path: "^src/",
        pathNot: [folder("config", "otp"), ...SENDER_SETTINGS, "^src/log\\.ts$", "^src/http/tls\\.ts$"],
      },
    },
    {
      name: "shared-files-know-no-technology",
      comment:
        "The files directly in src are shared by both binaries. They import no technology; cmd connects the folders.",
      severity: "error",
      from: { path: "^src/[^/]+\\.ts$" },
      to: { path: folder("api", "redis", "queue", "delivery", "dns", "gen") },
    },
    {
      name: "generated-code-is-the-apis",
      comment: "Only src/api uses the generated protobuf code.",
      severity: "error",
      from: { path: "^src/", pathNot: folder("api", "gen") },
      to: { path: folder("gen") },
    },
    {
      name: "nothing-imports-the-commands",
      comment: "cmd is the top of the import graph.",
      severity: "error",
      from: { path: "^(?:src|dev)/" },
      to: { path: "^cmd/" },
    },
    {
      name: "nothing-imports-the-benchmark",
      comment: "bench may import everything, and only bench imports it.",
      severity: "error",
      from: { pathNot: "^bench/" },
      to: { path: "^bench/" },
    },
    {
      name: "nothing-imports-the-pages",
      comment: "biome.json checks what the pages import, because the parser used here does not support JSX.",
      severity: "error",
      from: { pathNot: "^web/" },
      to: { path: "^web/" },
    },
    {
      name: "development-stays-out-of-the-binaries",
      comment: "dev and cmd/dev are for npm start, the tests and the benchmark. The binaries must not import them.",
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
      libmime: ["delivery"],
      libqp: ["delivery"],
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
      name: "nodemailer-through-its-documented-interface",
      comment: "Of nodemailer/lib, only smtp-connection is documented. The rest may change in any version.",
      severity: "error",
      from: {},
      to: { path: "node_modules/nodemailer/", pathNot: "/(?:nodemailer|smtp-connection/index)\\.js$" },
    },
    {
      name: "no-development-packages-at-run-time",
      comment: "The release contains no devDependencies.",
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
