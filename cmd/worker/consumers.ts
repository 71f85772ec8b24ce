import type { Logger } from "pino";
import type { WorkerConfig } from "../../src/config/worker.js";
import { type Compose, Deliverer } from "../../src/delivery/deliver.js";
import { Failover, type SendTimeouts } from "../../src/delivery/failover.js";
import { Recovery } from "../../src/delivery/recovery.js";
import type { ConfiguredSender } from "../../src/delivery/sender.js";
import { SENDERS } from "../../src/delivery/senders/registry.js";
import { oversizedSms } from "../../src/delivery/templates/segments.js";
import type { Templates } from "../../src/delivery/templates/templates.js";
import type { Keyring } from "../../src/otp/crypto/keyring.js";
import type { Channel } from "../../src/otp/recipient/recipient.js";
import { BullConsumer } from "../../src/queue/consumer.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import type { connectRedis } from "../../src/redis/connection/connection.js";
import type { RedisPulse } from "../../src/redis/connection/pulse.js";
import { RedisDeliveries } from "../../src/redis/deliveries/deliveries.js";
import { RedisSenderHealth } from "../../src/redis/sender-health/sender-health.js";
import { brandName } from "./messages.js";

/** A mail server may delay its greeting for many seconds, but a healthy SMS provider responds at once. */
const TIMEOUTS: Readonly<Record<Channel, SendTimeouts>> = {
  email: { sendMs: 30_000, probeMs: 5_000 },
  sms: { sendMs: 5_000, probeMs: 1_200 },
};

/** Opens a consumer for each channel that has senders. */
export async function openConsumers(parts: {
  readonly config: WorkerConfig;
  readonly redis: ReturnType<typeof connectRedis>;
  readonly pulse: RedisPulse;
  readonly keyring: Keyring;
  readonly templates: Templates;
  readonly log: Logger;
  readonly onClose: (name: string, close: () => unknown) => void;
}): Promise<void> {
  const { config, redis, pulse, keyring, templates, log, onClose } = parts;
  const brand = brandName(config);
  if (config.SMS_SENDERS.length > 0) {
    const extent = {
      brand,
      origin: config.SMS_ORIGIN,
      codeLength: config.OTP_LENGTH,
      lifeMs: config.OTP_TTL_SECONDS * 1000,
    };
    for (const line of oversizedSms(templates, extent)) log.warn(line);
  }
  const health = new RedisSenderHealth(redis, log);
  const shared = {
    challenges: new RedisChallenges(redis),
    deliveries: new RedisDeliveries(redis),
    health,
    keyring,
    onUnknown: config.ON_UNKNOWN,
    codeLength: config.OTP_LENGTH,
    lifeMs: config.OTP_TTL_SECONDS * 1000,
    log,
    now: pulse.now,
  };

  function open<Message>(
    channel: Channel,
    senders: readonly ConfiguredSender<Message>[],
    compose: Compose<Message>,
  ): void {
    if (senders.length === 0) return;
    onClose(`${channel} senders`, () => senders.map(({ sender }) => sender.close()));
    const recovery = new Recovery();
    const failover = new Failover({ ...shared, senders, recovery, timeouts: TIMEOUTS[channel] });
    const deliverer = new Deliverer({ ...shared, failover, compose });
    const consumer = new BullConsumer({
      redis,
      channel,
      concurrency: config.WORKER_CONCURRENCY,
      deliver: deliverer.deliver.bind(deliverer),
      redisNow: pulse.now,
      log,
    });
    recovery.onRecovery(() => void consumer.promote());
    pulse.on("set back", () => void consumer.promote());
    for (const { sender } of senders) void health.report(sender.name, { how: "renewed" }, false).catch(() => undefined);
    void pulse.measured.then(() => consumer.open()); // by a wrong clock, jobs would look as if they had expired
    onClose(`${channel} consumer`, () => consumer.close());
  }

  const emailSenders = await Promise.all(config.EMAIL_SENDERS.map((name) => SENDERS[name].open(config)));
  const smsSenders = await Promise.all(config.SMS_SENDERS.map((name) => SENDERS[name].open(config)));
  open("email", emailSenders, templates.mailComposer(brand));
  open("sms", smsSenders, templates.smsComposer(brand, config.SMS_ORIGIN));
}
