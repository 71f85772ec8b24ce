/** Types of the part of dns2 that the tests use. The package has none. */
declare module "dns2" {
  interface Message {
    header: { rcode: number; tc: number; ra: number };
    questions: { name: string; type: number; class: number }[];
    answers: object[];
    authorities: object[];
  }
  interface DnsServer {
    /** `client` is the address of a client over UDP, or a TCP socket, which has no `port`. */
    on(
      event: "request",
      listener: (request: Message, send: (response: Message) => void, client: { readonly port?: number }) => void,
    ): void;
    on(event: "error" | "requestError", listener: (error: Error) => void): void;
    listen(options: {
      udp: { port: number; address: string };
      tcp: { port: number; address: string };
    }): Promise<unknown>;
    addresses(): { udp: { port: number } };
    close(): Promise<unknown>;
  }
  const dns2: {
    createServer(options: { udp: boolean; tcp: boolean }): DnsServer;
    Packet: {
      createResponseFromRequest(request: Message): Message;
      readonly TYPE: Readonly<Record<"A" | "AAAA" | "MX" | "SOA" | "CNAME", number>>;
      readonly CLASS: Readonly<Record<"IN", number>>;
    };
  };
  export default dns2;
}
