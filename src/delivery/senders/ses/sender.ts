import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { DeliveryError } from "../../../otp/delivery/delivery.js";
import { type MailFrom, MessageWriter } from "../../mail/message.js";
import type { Mail, Sender } from "../../sender.js";
import { sesError } from "./faults.js";

const CONNECTIONS = 50;
const CONNECT_MS = 3_000;
const ANSWER_MS = 20_000;

/**
 * Sends mail through Amazon SES, API version 2: SendEmail with a raw message. SES replaces our Message-ID with its own.
 * The AWS SDK finds the credentials.
 *
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
 */
export class SesSender implements Sender<Mail> {
  readonly name = "ses";
  private readonly client: SESv2Client;
  private readonly writer: MessageWriter;

  /** @param endpoint overrides the region's own endpoint, for example with a VPC endpoint */
  constructor({ region, endpoint, from }: { region: string; endpoint?: string | undefined; from: MailFrom }) {
    this.writer = new MessageWriter(from);
    this.client = new SESv2Client({
      region,
      ...(endpoint !== undefined && { endpoint }),
      maxAttempts: 1, // the queue retries, possibly through another sender
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: ANSWER_MS,
        throwOnRequestTimeout: true,
        httpAgent: { keepAlive: true, maxSockets: CONNECTIONS },
        httpsAgent: { keepAlive: true, maxSockets: CONNECTIONS },
      },
    });
  }

  async send(mail: Mail, abortSignal: AbortSignal): Promise<void> {
    if (abortSignal.aborted) throw new DeliveryError("SES fault AbortError", "outage");
    const command = new SendEmailCommand({
      FromEmailAddress: this.writer.from,
      Destination: { ToAddresses: [mail.address] },
      Content: { Raw: { Data: this.writer.write(mail) } },
    });
    try {
      await this.client.send(command, { abortSignal });
    } catch (error) {
      throw sesError(error);
    }
  }

  close(): void {
    this.client.destroy();
  }
}
