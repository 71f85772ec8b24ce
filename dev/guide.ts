/** Where to reach what `npm start` has started: URLs without a slash at the end, and for gRPC an authority. */
export interface Places {
  readonly grpc: string;
  readonly http: string;
  readonly inbox: string;
}

/** Says on the terminal what can be done now. */
export function printGuide({ grpc, http, inbox }: Places): void {
  console.log(`
Countersign is running. Ctrl-C stops all of it.

  page                 ${http}/
  inbox                ${inbox}
  gRPC                 ${grpc}
  HTTP, Connect        ${http}
  health               ${http}/health

Ask for a code:

  curl ${http}/otp/generate -H 'Content-Type: application/json' -d '{"email":"test@example.com"}'

See how far it has come:

  curl -N '${http}/otp/watch?token=THE TOKEN'

Nothing is sent: each mail is caught and shown in the inbox, and its code printed here. So is each SMS: ask with {"phone":"+14155552671"}.
A test of yours gets the code with:

  curl '${inbox}/api/latest?to=test@example.com&wait=10'

Verify it:

  curl ${http}/otp/verify -H 'Content-Type: application/json' -d '{"email":"test@example.com","otp":"THE CODE"}'
`);
}
