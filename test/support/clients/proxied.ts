import { Agent, request } from "node:https";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { Health } from "../../../src/gen/health/v1/health_pb.js";
import { OtpService } from "../../../src/gen/otp/v1/otp_service_pb.js";
import type { RunningProxy } from "../programs/proxies.js";

/** A client per protocol that connects to a proxy over TLS; all but the ones named so use HTTP/2. */
export function proxiedClients({
  url,
  ca,
  localAddress = "127.0.0.1",
}: Pick<RunningProxy, "url" | "ca"> & { readonly localAddress?: string }): Readonly<
  Record<string, Client<typeof OtpService>>
> {
  const nodeOptions = { ca, localAddress } as object; // the types lack localAddress
  const http2 = { baseUrl: url, httpVersion: "2", nodeOptions } as const;
  const http1 = { baseUrl: url, httpVersion: "1.1", nodeOptions } as const;
  return {
    gRPC: createClient(OtpService, createGrpcTransport({ baseUrl: url, nodeOptions })),
    Connect: createClient(OtpService, createConnectTransport(http2)),
    "Connect over HTTP/1.1": createClient(OtpService, createConnectTransport(http1)),
    "gRPC-Web": createClient(OtpService, createGrpcWebTransport(http2)),
    "gRPC-Web over HTTP/1.1": createClient(OtpService, createGrpcWebTransport(http1)),
  };
}

/** A client of `grpc.health.v1` over gRPC. */
export function proxiedHealth({ url, ca }: Pick<RunningProxy, "url" | "ca">): Client<typeof Health> {
  return createClient(Health, createGrpcTransport({ baseUrl: url, nodeOptions: { ca } }));
}

/** A response over HTTP/1.1. */
export interface ProxiedResponse {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly chunks: AsyncIterable<Buffer>;
  text(): Promise<string>;
}

/** Sends requests to a proxy over HTTP/1.1, on connections that are kept open, from any address of the loopback network. */
export class ProxiedHttp {
  private readonly agent: Agent;

  constructor(
    private readonly proxy: Pick<RunningProxy, "url" | "ca">,
    private readonly localAddress = "127.0.0.1",
  ) {
    this.agent = new Agent({ keepAlive: true, ca: proxy.ca });
  }

  send(path: string, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<ProxiedResponse> {
    const { agent, localAddress } = this;
    const type = body === undefined ? {} : { "Content-Type": "application/json" };
    const options = {
      agent,
      localAddress,
      method: body === undefined ? "GET" : "POST",
      headers: { ...type, ...headers },
    };
    return new Promise((resolve, reject) => {
      const sent = request(this.proxy.url + path, options, (response) => {
        const text = () => read(response);
        resolve({ status: response.statusCode, headers: response.headers, chunks: response, text });
      });
      sent.on("error", reject).end(body && JSON.stringify(body));
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

async function read(chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}
