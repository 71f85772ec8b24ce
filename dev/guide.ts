/** The addresses of what `npm start` started: URLs without a trailing slash, and host and port for gRPC. */
export interface Places {
  readonly grpc: string;
  readonly http: string;
  readonly inbox: string;
}

/** Prints what can be done now. */
export function printGuide({ grpc, http, inbox }: Places): void {
  console.log(`
Countersign is running. Press Ctrl-C to stop everything.

  page                 ${http}/
  inbox                ${inbox}
  gRPC                 ${grpc}
  HTTP, Connect        ${http}
  health               ${http}/health

Ask for a code:

  curl ${http}/otp/generate -H 'Content-Type: application/json' -d '{"email":"test@example.com"}'

Follow its delivery:

  curl -N '${http}/otp/watch?token=THE WATCH TOKEN'

Nothing leaves this machine: the inbox shows each mail and SMS, and this terminal prints its code. For an SMS, replace the
email with "phone":"+14155552671".

Get the code in a test of your app:

  curl '${inbox}/api/latest?to=test@example.com&wait=10'

Verify the code:

  curl ${http}/otp/verify -H 'Content-Type: application/json' -d '{"email":"test@example.com","otp":"THE CODE"}'
`);
}
