import { Queue } from "bullmq";
import { Redis } from "ioredis";
import pino from "pino";
import { challengeId } from "../../src/otp/challenge/id.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import { sealJob } from "../../src/otp/delivery/job.js";
import { newRequestId } from "../../src/otp/token/request-id.js";
import { QUEUE_PREFIX, queueName } from "../../src/queue/names.js";
import { BullProducer } from "../../src/queue/producer.js";
import { AddressBook } from "./addresses.js";
import { SECRET } from "./stage.js";

const AT_ONCE = 500;

/** Fills the mail queue as a server does, while the workers are paused. */
export class QueuedJobs {
  private readonly redis: Redis;
  private readonly queue: Queue;
  private readonly producer: BullProducer;
  private readonly book = new AddressBook();
  private readonly keyring = deriveKeyring([SECRET]);

  constructor(redisUrl: string) {
    this.redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
    this.queue = new Queue(queueName("email"), { connection: this.redis, prefix: QUEUE_PREFIX });
    this.producer = new BullProducer(this.redis, pino({ level: "silent" }));
  }

  /** Pauses the workers, and adds this many jobs, each for a different address. */
  async fill(count: number): Promise<void> {
    await this.queue.pause();
    for (let added = 0; added < count; added += AT_ONCE) {
      await Promise.all(this.book.next(Math.min(AT_ONCE, count - added)).map((address) => this.add(address)));
    }
  }

  /** Resumes the workers. */
  async release(): Promise<void> {
    await this.queue.resume();
  }

  async close(): Promise<void> {
    await this.producer.close();
    await this.queue.close();
    this.redis.disconnect();
  }

  private add(address: string): Promise<void> {
    const purpose = "login";
    const request = newRequestId(Date.now());
    const recipient = { channel: "email", address, identity: address, mailbox: address } as const;
    const challenge = challengeId(this.keyring[0], purpose, recipient);
    return this.producer.add(
      sealJob(this.keyring, { request, challenge, channel: "email", address, purpose, locale: "" }),
    );
  }
}
