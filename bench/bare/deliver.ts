import { createServer } from "node:http";
import { createTransport } from "nodemailer";

import { Templates } from "../../src/delivery/templates/templates.js";
import { MAIL_FROM } from "../stage/stage.js";
import { listen } from "./listen.js";

const IN_FLIGHT = 50; // as many as a worker has
const CONNECTIONS = 20;

/**
 * A loop over a nodemailer pool that sends the mail of our template. `POST /<count>` makes it send that many mails, and
 * `POST /to/<address>` makes it send one.
 */
const { subject, text, html } = Templates.load(new URL("../../templates/", import.meta.url)).mail({
  code: "123456",
  leftMs: 600_000,
  purpose: "login",
  brand: "Countersign",
  locale: "",
});
const pool = createTransport({
  host: "127.0.0.1",
  port: Number(process.env.SMTP_PORT),
  pool: true,
  maxConnections: CONNECTIONS,
  maxMessages: Number.POSITIVE_INFINITY,
});

let sent = 0;
function send(to: string): Promise<unknown> {
  const messageId = `<message-${sent++}@countersign.example>`;
  return pool.sendMail({ from: MAIL_FROM, to, subject, text, html, messageId, headers: HEADERS });
}

/** The headers that our mails have. */
const HEADERS = { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" };

async function sendWhile(left: { count: number }): Promise<void> {
  while (left.count-- > 0) await send(`person-${sent}@example.com`);
}

listen(
  createServer((request, response) => {
    const [, path = "", address] = (request.url ?? "").split("/");
    if (address === undefined) {
      const left = { count: Number(path) };
      for (let n = 0; n < IN_FLIGHT; n++) void sendWhile(left);
    } else {
      void send(address);
    }
    response.end();
  }),
);
