import { createServer } from "node:http";
import { GENERATED, JOB, openQueue } from "./job.js";
import { listen } from "./listen.js";

/** A node:http server that parses the JSON of a Generate and only adds a job. */
const queue = openQueue();
const answer = JSON.stringify({ ...GENERATED, ttl: "600s", resendAfter: "30s" });
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", async () => {
    JSON.parse(Buffer.concat(chunks).toString());
    await queue.add("deliver", JOB);
    response.writeHead(202, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(answer) });
    response.end(answer);
  });
});
listen(server);
