import { Redis } from "ioredis";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../../../dev/chromium.js";
import { freePort } from "../../../dev/private-redis.js";
import { smsEnv } from "../messages/sms-env.js";
import { RecordingSmtp } from "../messages/smtp.js";
import { type RunningServer, type RunningWorker, startServer, startWorker } from "../programs/binaries.js";
import { TwilioStandIn } from "../providers/twilio.js";
import { passTime } from "../redis/pass-time.js";
import { PersistentRedis } from "../redis/persistent-redis.js";
import { LoginPage } from "./login-page.js";

/** A person who has requested a code. */
export interface Asked {
  readonly page: LoginPage;
  readonly email: string;
  readonly code: string;
}

/** The whole service with its page, and a browser. Each part can be stopped and started again. */
export class Site {
  readonly redis = new PersistentRedis();
  readonly smtp = new RecordingSmtp();
  readonly twilio = new TwilioStandIn();
  private server: RunningServer | undefined;
  private worker: RunningWorker | undefined;
  private browser: Browser | undefined;
  private port = 0;
  private people = 0;

  constructor(private readonly env: Readonly<Record<string, string>> = {}) {}

  async start(): Promise<this> {
    this.port = await freePort();
    this.browser = await launchChromium();
    await Promise.all([this.redis.start(), this.smtp.start(), this.twilio.start()]);
    await Promise.all([this.startServer(), this.startWorker()]);
    return this;
  }

  async stop(): Promise<void> {
    await this.browser?.close();
    await Promise.all([this.stopServer(), this.stopWorker()]);
    await Promise.all([this.smtp.stop(), this.twilio.stop()]);
    await this.redis.stop();
  }

  /** Starts the server, always on the same port. */
  async startServer(): Promise<void> {
    const env = { ...smsEnv(this.twilio), WEB: "on", HTTP_PORT: String(this.port), ...this.env };
    this.server = await startServer(this.redis.url, env);
    await this.server.line(/redis answers/);
  }

  async stopServer(): Promise<void> {
    await this.server?.stop();
  }

  /** Resolves once the server reports that Redis answers. */
  async serverReady(): Promise<void> {
    while (!(await fetch(`${this.url}health`)).ok) await this.server?.line(/redis answers/, 2);
  }

  async startWorker(): Promise<void> {
    this.worker = await startWorker(this.redis.url, this.smtp.url, { ...smsEnv(this.twilio), ...this.env });
    await this.worker.line(/redis answers/);
  }

  async stopWorker(): Promise<void> {
    await this.worker?.stop();
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Opens the page in a new browser context, as a new visitor does. */
  async open(options: BrowserContextOptions = {}): Promise<LoginPage> {
    if (this.browser === undefined) throw new Error("this site has not been started");
    const context = await this.browser.newContext({ locale: "en-US", ...options });
    return this.openIn(await context.newPage());
  }

  /** Opens the page in an existing tab. */
  async openIn(tab: Page, fragment = ""): Promise<LoginPage> {
    await tab.goto(this.url + fragment);
    return new LoginPage(tab);
  }

  /** Opens the page and requests a code. Resolves once the mail has arrived and the page shows the step "Sent". */
  async asked(options: BrowserContextOptions = {}, email = this.newEmail()): Promise<Asked> {
    const page = await this.open(options);
    await page.ask(email);
    const { code } = await this.smtp.mailTo(email);
    await page.comesTo("Sent");
    return { page, email, code };
  }

  /** Closes all tabs. */
  async closeTabs(): Promise<void> {
    await Promise.all(this.browser?.contexts().map((context) => context.close()) ?? []);
  }

  newEmail(): string {
    return `person${this.people++}@example.com`;
  }

  newPhone(): string {
    return `+4915${String(200_000_000 + this.people++)}`;
  }

  /** Lets time pass for everything that the service stores in Redis. */
  async passTime(ms: number): Promise<void> {
    const redis = new Redis(this.redis.url);
    await passTime(redis, ms);
    redis.disconnect();
  }

  /** Makes the SMS provider report that the last message to this number was delivered. */
  async reportDelivered(phone: string): Promise<void> {
    const message = await this.twilio.messageTo(phone);
    await this.twilio.receipt(message, "delivered", { server: this.url.slice(0, -1) });
  }
}
