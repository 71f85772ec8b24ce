import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { faultOf, HttpClient, mayHaveGone } from "../../../src/delivery/senders/http-client.js";
import { forever } from "../../support/fakes/deliveries.js";
import { listening } from "../../support/programs/listening.js";

let server: Server | undefined;

afterEach(() => void server?.close());

async function client(answer: RequestListener): Promise<HttpClient> {
  server = createServer(answer);
  return new HttpClient("Provider", new URL(`http://127.0.0.1:${await listening(server)}/`));
}

describe("a provider's answer", () => {
  it("is read up to 64 KiB", async () => {
    const http = await client((_request, response) => void response.writeHead(400).end("x".repeat(1_000_000)));
    const { status, body } = await http.post({}, "", forever);
    expect([status, body.length]).toEqual([400, 65_536]);
    http.close();
  });

  it("that redirects is not followed, and counts as a fault of the provider", async () => {
    const http = await client((_request, response) => void response.writeHead(307, { Location: "/elsewhere" }).end());
    const answer = await http.post({}, "", forever);
    expect(http.refusal(answer)).toMatchObject({ message: "Provider 307", fault: "provider", mayHaveGone: false });
    http.close();
  });

  it("of success that is not the documented one leaves it open whether the message was taken", async () => {
    const http = await client((_request, response) => void response.end("<html>"));
    const answer = await http.post({}, "", forever);
    expect(http.refusal(answer)).toMatchObject({ message: "Provider 200", fault: "outage", mayHaveGone: true });
    http.close();
  });
});

describe("the HTTP status", () => {
  it.each([
    [200, "outage"],
    [307, "provider"],
    [400, "route"],
    [401, "provider"],
    [402, "provider"],
    [403, "provider"],
    [404, "provider"],
    [405, "provider"],
    [408, "outage"],
    [409, "route"],
    [410, "route"],
    [413, "route"],
    [415, "route"],
    [422, "route"],
    [425, "outage"],
    [429, "throttled"],
    [451, "route"],
    [500, "outage"],
    [599, "outage"],
  ])("%i means the fault: %s", (status, fault) => {
    expect(faultOf(status)).toBe(fault);
  });

  it("leaves it open whether a message was sent only when it is a success or 504", () => {
    expect([200, 204, 504].map(mayHaveGone)).toEqual([true, true, true]);
    expect([302, 400, 429, 500, 503].map(mayHaveGone)).toEqual([false, false, false, false, false]);
  });
});
