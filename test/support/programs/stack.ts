import { RecordingSmtp } from "../messages/smtp.js";
import { startTestRedis, type TestRedis } from "../redis/redis.js";
import { type RunningServer, type RunningWorker, startServer, startWorker } from "./binaries.js";

/** The whole service: the built binaries, a real Redis, and a recording SMTP server. */
export interface Stack {
  readonly redis: TestRedis;
  readonly smtp: RecordingSmtp;
  readonly server: RunningServer;
  readonly worker: RunningWorker;
  stop(): Promise<void>;
}

export async function startStack(
  options: {
    readonly redis?: TestRedis;
    readonly server?: Readonly<Record<string, string>>;
    readonly worker?: Readonly<Record<string, string>>;
  } = {},
): Promise<Stack> {
  const redis = options.redis ?? (await startTestRedis());
  const smtp = await new RecordingSmtp().start();
  const server = await startServer(redis.url, options.server);
  const worker = await startWorker(redis.url, smtp.url, options.worker);
  await Promise.all([server.line(/redis answers/), worker.line(/redis answers/)]);
  return {
    redis,
    smtp,
    server,
    worker,
    stop: async () => {
      await Promise.all([server.stop(), worker.stop()]);
      await smtp.stop();
      await redis.stop();
    },
  };
}
