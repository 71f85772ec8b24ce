import { randomUUID } from "node:crypto";
import { type Call, type Protocol, type Reply, StandIn } from "./stand-in.js";

export const SES = {
  region: "eu-central-1",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "ses-secret-0123456789",
};

/** The environment variables from which the AWS SDK reads its credentials. */
export const SES_ENV = { AWS_ACCESS_KEY_ID: SES.accessKeyId, AWS_SECRET_ACCESS_KEY: SES.secretAccessKey };

/**
 * SendEmail of Amazon SES, version 2: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html. The text of a
 * message is its source. The stand-in checks the key, region and service of the signature, but not the signature itself.
 */
export class SesStandIn extends StandIn {
  constructor() {
    super(protocol);
  }
}

const protocol: Protocol = {
  read({ method, target, header, body }: Call) {
    if (target !== "/v2/email/outbound-emails" || method !== "POST") return error(404, "NotFoundException", target);
    const scope = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}$/;
    const [key, , ...rest] = scope.exec(header("authorization"))?.[1]?.split("/") ?? [];
    if (key !== SES.accessKeyId || rest.join("/") !== `${SES.region}/ses/aws4_request`)
      return error(403, "UnrecognizedClientException", "The security token included in the request is invalid.");
    if (header("content-type") !== "application/json") return error(415, "BadRequestException", "media type");

    const { FromEmailAddress, Destination, Content } = JSON.parse(body);
    const source = Buffer.from(Content?.Raw?.Data ?? "", "base64").toString("utf8");
    const [to] = Destination?.ToAddresses ?? [];
    if (!FromEmailAddress || !source) return error(400, "BadRequestException", "a member is missing");
    if (!/^[^@]+@[^@]+\.[^@]+$/.test(to)) return error(400, "BadRequestException", `Missing final '@domain' in ${to}`);
    return { to, text: source, reference: undefined, callback: undefined };
  },
  taken: () => ({ status: 200, body: { MessageId: `0107${randomUUID()}-000000` } }),
  rejected: ({ to }) => error(400, "BadRequestException", `Domain contains illegal character: ${to}`),
  throttled: () => error(429, "TooManyRequestsException", "Too many requests"),
  failed: (status) => error(status, "InternalFailure", "An internal error occurred"),
};

/** An error as AWS services answer it that use JSON over REST: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html */
function error(status: number, name: string, message: string): Reply {
  return { status, headers: { "x-amzn-ErrorType": name }, body: { message } };
}
