import { SESv2ServiceException } from "@aws-sdk/client-sesv2";
import { DeliveryError, type Fault } from "../../../otp/delivery/delivery.js";
import { faultOf, mayHaveGone, retryAfterMs } from "../http-client.js";

/**
 * The exceptions of SendEmail, and those that all AWS services share. What is not named here goes by its status.
 *
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html
 */
const FAULTS: Readonly<Record<string, Fault>> = {
  AccountSuspendedException: "provider",
  SendingPausedException: "provider",
  MailFromDomainNotVerifiedException: "provider",
  MessageRejected: "route", // content, or an identity that is not verified: in the sandbox the recipient's too
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

/** What SES says in a BadRequestException of an address that it does not read: everything else in our request is always the same. */
const ADDRESS = /^(?:Local address|Domain|Missing final|Illegal address|Invalid (?:recipient|email address))/i;

/** Said with a throttling exception once the day's quota is used up: a slower pace does not help. */
const DAILY = /daily/i;

/** From the node:net, node:dns and node:tls errors that come before a request is sent. */
const BEFORE_SENDING =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EPROTO|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/;

/** Keeps the name of an AWS SDK error and drops its text, which may hold the address. */
export function sesError(error: unknown): DeliveryError {
  if (error instanceof SESv2ServiceException) return refusal(error);
  if (!(error instanceof Error)) return new DeliveryError("SES fault", "outage", { mayHaveGone: true });
  // Without credentials nothing is sent, and no time will bring them.
  if (error.name === "CredentialsProviderError") return new DeliveryError(`SES fault ${error.name}`, "provider");
  const { code, syscall }: NodeJS.ErrnoException = error;
  const isUnsent =
    error instanceof AggregateError || // of the attempts to connect to each of the host's addresses
    (error.name === "TimeoutError" && code === undefined) || // the SDK's connection time-out
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
