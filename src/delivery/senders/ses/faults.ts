import { SESv2ServiceException } from "@aws-sdk/client-sesv2";
import { DeliveryError, type Fault } from "../../../otp/delivery/delivery.js";
import { faultOf, mayHaveGone, retryAfterMs } from "../http-client.js";

/**
 * The exceptions of SendEmail, and those that all AWS services share. For any other exception, the status decides.
 *
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html
 */
const FAULTS: Readonly<Record<string, Fault>> = {
  AccountSuspendedException: "provider",
  SendingPausedException: "provider",
  MailFromDomainNotVerifiedException: "provider",
  MessageRejected: "route", // the content, or an unverified identity: the sender or, in the sandbox, the recipient
  NotFoundException: "provider",
  AccessDeniedException: "provider",
  IncompleteSignature: "provider",
  MissingAuthenticationToken: "provider",
  NotAuthorized: "provider",
  RequestExpired: "provider", // our clock is wrong
  LimitExceededException: "provider",
  TooManyRequestsException: "throttled",
  ThrottlingException: "throttled",
  Throttling: "throttled",
  RequestLimitExceeded: "throttled",
  InternalFailure: "outage",
  InternalServiceErrorException: "outage",
  ServiceUnavailable: "outage",
};

/** How SES describes an address that it cannot parse in a BadRequestException. Only the address differs between our requests. */
const ADDRESS = /^(?:Local address|Domain|Missing final|Illegal address|Invalid (?:recipient|email address))/i;

/** Part of a throttling exception's message once the daily quota is used up. Slowing down does not help then. */
const DAILY = /daily/i;

/** The codes of node:net, node:dns and node:tls errors that occur before a request is sent. */
const BEFORE_SENDING =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EPROTO|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/;

/** Converts an AWS SDK error. Keeps its name and drops its message, which may contain the address. */
export function sesError(error: unknown): DeliveryError {
  if (error instanceof SESv2ServiceException) return refusal(error);
  if (!(error instanceof Error)) return new DeliveryError("SES fault", "outage", { mayHaveGone: true });
  // Without credentials nothing is sent, and retrying does not help.
  if (error.name === "CredentialsProviderError") return new DeliveryError(`SES fault ${error.name}`, "provider");
  const { code, syscall }: NodeJS.ErrnoException = error;
  const isUnsent =
    error instanceof AggregateError || // no address of the host accepted the connection
    (error.name === "TimeoutError" && code === undefined) || // the SDK's connection timeout
    syscall === "connect" ||
    BEFORE_SENDING.test(code ?? "");
  return new DeliveryError(`SES fault ${code ?? error.name}`, "outage", { mayHaveGone: !isUnsent });
}

function refusal(error: SESv2ServiceException): DeliveryError {
  const { name, message, $metadata, $response } = error;
  const status = $metadata.httpStatusCode ?? 0;
  const known = /^\w{1,60}$/.test(name) ? name : "unknown";
  const fault = faultOfException(name, message, status);
  return new DeliveryError(`SES ${status}, error ${known}`, fault, {
    mayHaveGone: mayHaveGone(status),
    retryAfterMs: fault === "throttled" ? retryAfterMs($response?.headers["retry-after"]) : undefined,
  });
}

function faultOfException(name: string, message: string, status: number): Fault {
  if (name === "BadRequestException") return ADDRESS.test(message) ? "address" : "route";
  const fault = (Object.hasOwn(FAULTS, name) ? FAULTS[name] : undefined) ?? faultOf(status);
  return fault === "throttled" && DAILY.test(message) ? "provider" : fault;
}
