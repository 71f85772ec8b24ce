import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { createTransport } from "nodemailer";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Mailbox } from "../../dev/inbox/mailbox.js";
import { InboxServer } from "../../dev/inbox/server.js";
import { startInbox } from "../../dev/inbox/start.js";
import { Templates } from "../../src/delivery/templates/templates.js";
import { readEvents } from "../support/clients/events.js";
import { get } from "../support/clients/http.js";
import { postSms, startTestInbox, type TestInbox } from "../support/messages/inbox.js";

const TEMPLATES = Templates.load(new URL("../../templates/", import.meta.url));
const HTML = '<h1>Hello</h1><script>alert("caught")</script>';

describe("the inbox", () => {
  let inbox: TestInbox;
  beforeAll(async () => {
    inbox = await startTestInbox();
  });
  afterAll(() => inbox.close());

  it("lists the caught messages, newest first, without their HTML and source", async () => {
    await fetch(`${inbox.url}/api/messages`, { method: "DELETE" });
    const mail = await inbox.mail("list@example.com", { subject: "Welcome", text: "Your code is 123456.", html: HTML });
    const sms = await inbox.sms("+14155550100", "654321 is your code");
    const { body } = await get(`${inbox.url}/api/messages`);
    expect(body).toEqual([
      { id: sms.id, channel: "sms", to: ["+14155550100"], code: "654321", text: "654321 is your code", at: sms.at },
      {
        id: mail.id,
        channel: "email",
        to: ["list@example.com"],
        from: "Ada <ada@example.com>",
        subject: "Welcome",
        text: "Your code is 123456.\n",
        code: "123456",
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      },
    ]);
    expect(Number(sms.id)).toBeGreaterThan(Number(mail.id));
    expect((await get(`${inbox.url}/api/messages?channel=sms`)).body).toHaveLength(1);
    expect((await get(`${inbox.url}/api/messages?to=LIST@example.com`)).body).toMatchObject([{ id: mail.id }]);
    expect((await get(`${inbox.url}/api/messages?to=nobody@example.com`)).body).toEqual([]);
  });

  it("returns one message in full, with its HTML and its source", async () => {
    const { id } = await inbox.mail("whole@example.com", { subject: "Grüße", text: "Hi", html: HTML });
    const message = `${inbox.url}/api/messages/${id}`;
    const whole = await get(message);
    expect(whole.body).toMatchObject({ id, subject: "Grüße", html: `${HTML}\n` });
    expect(whole.body.source).toMatch(/^From: Ada <ada@example\.com>\r\n/);
    expect(whole.headers.get("Cache-Control")).toBe("no-store");

    const source = await fetch(`${message}/source`);
    expect(source.headers.get("Content-Type")).toMatch(/^text\/plain; *charset=utf-8$/i);
    expect(await source.text()).toBe(whole.body.source);
  });

  it("serves the HTML of a mail under a CSP that sandboxes it", async () => {
    const { id } = await inbox.mail("html@example.com", { html: HTML });
    const html = await fetch(`${inbox.url}/api/messages/${id}/html`);
    expect(await html.text()).toContain(HTML);
    expect(html.headers.get("Content-Type")).toMatch(/^text\/html; *charset=utf-8$/i);
    expect(html.headers.get("Content-Security-Policy")).toMatch(/^sandbox; default-src 'none'; /);
    expect(html.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(html.headers.get("Referrer-Policy")).toBe("no-referrer");
  });

  it("takes the code from the subject when a mail has no text", async () => {
    expect(await inbox.mail("subject@example.com", { subject: "Your code: 246810", html: HTML })).toMatchObject({
      code: "246810",
    });
  });

  it("finds the code of a mail, whatever other digits come before it", async () => {
    const data = { code: "482913", leftMs: 600_000, brand: "Radio 1018000", purpose: "order-20261121" };
    for (const template of TEMPLATES.mailTemplates) {
      const { subject, text, html } = template.render(data);
      expect(await inbox.mail("digits@example.com", { subject, text, html })).toMatchObject({ code: "482913" });
    }
  });

  it("shows every recipient in the envelope of a mail", async () => {
    await inbox.mail("one@example.com, two@example.com", { text: "To both" });
    const { body } = await get(`${inbox.url}/api/latest?to=two@example.com`);
    expect(body).toMatchObject({ to: ["one@example.com", "two@example.com"] });
  });

  it("rejects a mail of more than one mebibyte", async () => {
    await expect(inbox.mail("big@example.com", { text: "0123456789\r\n".repeat(100_000) })).rejects.toThrow();
    expect((await get(`${inbox.url}/api/latest?to=big@example.com`)).status).toBe(404);
  });

  it("rejects a mail that it cannot parse, with a permanent error", async () => {
    const deeper = (depth: number) => `Content-Type: multipart/mixed; boundary="b${depth}"\r\n\r\n--b${depth}\r\n`;
    const raw = `${Array.from({ length: 300 }, (_, depth) => deeper(depth)).join("")}\r\n123456\r\n`;
    const envelope = { from: "ada@example.com", to: "deep@example.com" };
    const sent = createTransport(inbox.smtpUrl).sendMail({ envelope, raw });
    await expect(sent).rejects.toMatchObject({ responseCode: 554 });
  });

  it("rejects an SMS that is malformed or too long", async () => {
    for (const body of [
      "",
      "{",
      "[]",
      '{"data":{}}',
      '{"data":{"to":"+14155550100"}}',
      JSON.stringify({ data: { to: "+14155550100", text: "0".repeat(100_000) } }),
    ]) {
      expect(await postSms(inbox, body).catch(() => 400)).toBe(400);
    }
  });

  it("rejects an SMS whose signature is missing or wrong", async () => {
    const body = JSON.stringify({ data: { to: "+14155550100", text: "123456" } });
    expect((await fetch(inbox.smsUrl, { method: "POST", body })).status).toBe(401);
    const smsSecret = `whsec_${Buffer.from("another secret of 32 characters!").toString("base64")}`;
    expect(await postSms({ ...inbox, smsSecret }, body)).toBe(401);
    expect(await postSms(inbox, body)).toBe(204);
  });

  it.each([
    { to: "ada+test@example.com", asked: ["ada%2Btest@example.com", "ada+test@example.com", "Ada%2BTest@EXAMPLE.com"] },
    { to: "ada@exämple.com", asked: ["ada@ex%C3%A4mple.com", "ada@xn--exmple-cua.com", "Ada@EX%C3%84MPLE.com"] },
    { to: "+14155552671", asked: ["%2B14155552671", "+14155552671", "14155552671", "%2B1%20(415)%20555-2671"] },
  ])("finds a message to $to under every spelling of the address", async ({ to, asked }) => {
    const { id } = to.includes("@") ? await inbox.mail(to, { text: "123456" }) : await inbox.sms(to, "123456");
    for (const written of asked) {
      expect((await get(`${inbox.url}/api/latest?to=${written}`)).body).toMatchObject({ id, code: "123456" });
    }
  });

  it.each([
    ["GET", "latest", 400],
    ["GET", "latest?to=", 400],
    ["GET", "latest?to=somebody", 400],
    ["GET", "latest?to=a@example.com&wait=61", 400],
    ["GET", "latest?to=a@example.com&wait=-1", 400],
    ["GET", "latest?to=a@example.com&after=yesterday", 400],
    ["GET", "latest?to=a@example.com&afterr=1", 400],
    ["GET", "latest?to=a@example.com", 404],
    ["GET", "messages?channel=fax", 400],
    ["GET", "messages/1", 404],
    ["GET", "messages/1/html", 404],
    ["GET", "nothing", 404],
    ["POST", "messages", 405],
    ["DELETE", "latest", 405],
    ["PUT", "messages/1/source", 405],
  ])("answers %s /api/%s with %i and a reason", async (method, path, status) => {
    const answer = await fetch(`${inbox.url}/api/${path}`, { method });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ error: expect.stringMatching(/\w/) });
  });

  it("answers only on the loopback address, and only under the names of the local host", async () => {
    const { port } = new URL(inbox.url);
    await expect(fetch(`http://127.0.0.2:${port}/api/messages`)).rejects.toThrow();
    const statusFor = async (host: string) => {
      const asked = request(`${inbox.url}/api/messages`, { headers: { Host: host } }).end();
      const [response] = await once(asked, "response");
      response.resume();
      return response.statusCode;
    };
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "[::1]"]) expect(await statusFor(host)).toBe(200);
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "localhost.evil.example"]) {
      expect(await statusFor(host)).toBe(403);
    }
  });

  it("serves a page that loads nothing from elsewhere and cannot be framed", async () => {
    const page = await fetch(inbox.url);
    const policy = page.headers.get("Content-Security-Policy");
    for (const rule of ["default-src 'none'", "script-src 'self'", "frame-src 'self'", "frame-ancestors 'none'"]) {
      expect(policy).toContain(rule);
    }
    expect(page.headers.get("Access-Control-Allow-Origin")).toBeNull();
    const script = /src="\.(\/assets\/[^"]+)"/.exec(await page.text())?.[1];
    const asset = await fetch(`${inbox.url}${script}`);
    expect(asset.headers.get("Content-Type")).toMatch(/^text\/javascript/);
    expect(asset.headers.get("Cache-Control")).toContain("immutable");
    await asset.body?.cancel();
  });
});

describe("a client that waits for messages", () => {
  /** Counts the clients that wait. */
  class CountingMailbox extends Mailbox {
    waiting = 0;
    override changed(withinMs: number, gone: AbortSignal): Promise<boolean> {
      this.waiting++;
      return super.changed(withinMs, gone).finally(() => this.waiting--);
    }
    async until(count: number): Promise<void> {
      while (this.waiting !== count) await new Promise(setImmediate);
    }
  }

  let mailbox: CountingMailbox;
  let server: InboxServer;
  let url: string;
  beforeEach(async () => {
    mailbox = new CountingMailbox();
    server = new InboxServer({ mailbox, page: new URL("file:///") });
    url = `http://127.0.0.1:${await server.listen(0)}/api`;
  });
  afterEach(() => server.close());
  const sms = (code: string) => mailbox.add({ channel: "sms", to: ["+14155552671"], text: code, code });

  it("gets an answer as soon as a message to its address arrives", async () => {
    const answer = get(`${url}/latest?to=%2B14155552671&wait=60`);
    await mailbox.until(1);
    mailbox.add({ channel: "sms", to: ["+14155550100"], text: "111111", code: "111111" });
    await mailbox.until(1);
    sms("222222");
    expect((await answer).body).toMatchObject({ code: "222222" });
  });

  it("gets 404 when no message arrives in time", async () => {
    const { status, body } = await get(`${url}/latest?to=%2B14155552671&wait=1`);
    expect(status).toBe(404);
    expect(body).toEqual({ error: expect.stringContaining("+14155552671") });
  });

  it("gets only messages that came after the message or time that it names", async () => {
    const { id, at } = sms("111111");
    for (const after of [id, at, at.replace("Z", "+00:00")]) {
      expect((await get(`${url}/latest?to=%2B14155552671&after=${after}`)).status).toBe(404);
    }
    const answer = get(`${url}/latest?to=%2B14155552671&after=${id}&wait=60`);
    await mailbox.until(1);
    sms("222222");
    expect((await answer).body).toMatchObject({ code: "222222" });
  });

  it("is forgotten when it disconnects", async () => {
    const leaving = new AbortController();
    const answers = [
      fetch(`${url}/latest?to=%2B14155552671&wait=60`, { signal: leaving.signal }),
      (await readEvents(`${url}/events`, { signal: leaving.signal })).next(),
    ];
    await mailbox.until(2);
    leaving.abort();
    await Promise.allSettled(answers);
    await mailbox.until(0);
  });

  it("is forgotten when it disconnects after several requests on one connection", async () => {
    const { port } = new URL(url);
    const socket = connect(Number(port), "127.0.0.1");
    const ask = (path: string) => `GET /api/${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    socket.write(ask("events") + ask("events") + ask("latest?to=a@example.com&wait=60"));
    await mailbox.until(3);
    socket.destroy();
    await mailbox.until(0);
  });

  it("is refused with 503 while a hundred others wait", async () => {
    const leaving = new AbortController();
    const answers = Array.from({ length: 100 }, () => readEvents(`${url}/events`, { signal: leaving.signal }));
    await Promise.all(answers);
    const { status, body } = await get(`${url}/latest?to=%2B14155552671`);
    expect(status).toBe(503);
    expect(body).toEqual({ error: expect.any(String) });
    leaving.abort();
    await mailbox.until(0);
    expect((await get(`${url}/latest?to=%2B14155552671`)).status).toBe(404);
  });

  it("does not keep the server from closing", async () => {
    const waiting = [get(`${url}/latest?to=%2B14155552671&wait=60`), (await readEvents(`${url}/events`)).next()];
    await mailbox.until(2);
    const settled = Promise.allSettled(waiting);
    await server.close();
    expect(await settled).toMatchObject([{ status: "rejected" }, { status: "rejected" }]);
    await mailbox.until(0);
  });

  it("receives an event for each new message, and one when all messages are deleted", async () => {
    sms("000000");
    const events = await readEvents(`${url}/events`);
    const { id } = sms("111111");
    const first = await events.next();
    expect(first.value).toMatch(/^data: \{.*"code":"111111".*\}\nid: \d+$/);
    expect(first.value).toContain(`id: ${id}`);

    expect((await fetch(`${url}/messages`, { method: "DELETE" })).status).toBe(204);
    expect((await events.next()).value).toBe("event: empty\ndata: ");
    expect((await get(`${url}/messages`)).body).toEqual([]);
    await events.return(undefined);
  });

  it("receives regular comments that keep its connection open", async () => {
    const chatty = new InboxServer({ mailbox, page: new URL("file:///"), heartbeatMs: 1 });
    onTestFinished(() => chatty.close());
    const { body } = await fetch(`http://127.0.0.1:${await chatty.listen(0)}/api/events`);
    let received = "";
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      received += chunk;
      if (received.endsWith(":\n\n:\n\n")) break;
    }
    expect(received).toMatch(/^retry: 1000\n\n(?::\n\n)+$/);
  });

  it("receives the messages that it missed when it reconnects", async () => {
    const { id } = sms("111111");
    const [second, third] = [sms("222222"), sms("333333")];
    const events = await readEvents(`${url}/events`, { headers: { "Last-Event-ID": id } });
    expect((await events.next()).value).toContain(`id: ${second.id}`);
    expect((await events.next()).value).toContain(`id: ${third.id}`);
    const fourth = sms("444444");
    expect((await events.next()).value).toContain(`id: ${fourth.id}`);
    await events.return(undefined);
  });

  it("misses no message when it reconnects to a restarted inbox", async () => {
    const { id } = sms("111111");
    await server.close();
    while (Date.now() <= Number(id)) await new Promise(setImmediate); // a real restart takes longer than a millisecond
    mailbox = new CountingMailbox();
    const next = sms("222222");
    server = new InboxServer({ mailbox, page: new URL("file:///") });
    url = `http://127.0.0.1:${await server.listen(0)}/api`;
    const events = await readEvents(`${url}/events`, { headers: { "Last-Event-ID": id } });
    expect((await events.next()).value).toContain(`id: ${next.id}`);
    await events.return(undefined);
  });
});

it("the inbox prints no control characters of a message on the terminal", async () => {
  const said: string[] = [];
  const inbox = await startInbox({ port: 0, say: (line) => void said.push(line) });
  onTestFinished(() => inbox.close());
  const to = "+1415\u001b[2J\r\n\u009b\u202e\u20285550100";
  await postSms(inbox, JSON.stringify({ data: { to, text: "123456" } }));
  expect(said).toEqual(["Caught an SMS to +1415[2J5550100: the code is 123456"]);
});

it("the inbox says on the terminal when a message has no code", async () => {
  const said: string[] = [];
  const inbox = await startInbox({ port: 0, say: (line) => void said.push(line) });
  onTestFinished(() => inbox.close());
  const message = { from: "ada@example.com", to: "none@example.com", text: "Hello" };
  await createTransport(inbox.smtpUrl).sendMail(message);
  await postSms(inbox, JSON.stringify({ data: { to: "+14155550100", text: "Hello" } }));
  expect(said).toEqual([
    "Caught a mail to none@example.com: it has no code",
    "Caught an SMS to +14155550100: it has no code",
  ]);
});

describe("the mailbox", () => {
  it("keeps the last 200 messages", () => {
    const mailbox = new Mailbox();
    const ids = Array.from({ length: 201 }, () => mailbox.add({ channel: "sms", to: ["+1"], text: "" }).id);
    const [first = "", second = ""] = ids;
    expect(mailbox.newestFirst()).toHaveLength(200);
    expect(mailbox.newestFirst()[0]?.id).toBe(ids.at(-1));
    expect(mailbox.find(first)).toBeUndefined();
    expect(mailbox.find(second)).toBeDefined();
  });

  it("keeps fewer messages when they are long", () => {
    const mailbox = new Mailbox();
    const source = "x".repeat(1024 * 1024);
    for (let count = 0; count < 40; count++) mailbox.add({ channel: "email", to: ["a@example.com"], text: "", source });
    expect(mailbox.newestFirst()).toHaveLength(32);
    mailbox.empty();
    mailbox.add({ channel: "email", to: ["a@example.com"], text: "", source });
    expect(mailbox.newestFirst()).toHaveLength(1);
  });
});
