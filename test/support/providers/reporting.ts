import { type Protocol, type ProviderMessage, StandIn } from "./stand-in.js";

/** The protocol of a provider that reports the outcome of a message. */
export interface ReportingProtocol extends Protocol {
  receipt(message: ProviderMessage, status: string, errorCode: number | undefined): Receipt;
}

interface Receipt {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A stand-in for a provider that sends receipts. */
export class ReportingStandIn extends StandIn {
  constructor(private readonly reporting: ReportingProtocol) {
    super(reporting);
  }

  /**
   * Reports the outcome of a message, with the provider's signature. The signature is for the message's callback URL. The call goes to
   * the same path at `server`, if one is given.
   *
   * @param errorCode one of the provider's own
   * @returns the status of the answer
   */
  async receipt(
    message: ProviderMessage,
    status: string,
    { server, errorCode }: { readonly server?: string; readonly errorCode?: number } = {},
  ): Promise<number> {
    const { origin, pathname, search } = new URL(message.callback ?? "");
    const { headers, body } = this.reporting.receipt(message, status, errorCode);
    const response = await fetch((server ?? origin) + pathname + search, { method: "POST", headers, body });
    await response.body?.cancel();
    return response.status;
  }
}
