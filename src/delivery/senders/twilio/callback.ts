/**
 * The fragment of a callback's URL that has Twilio call again, up to five times, when it cannot reach us, or we do not answer in time,
 * or with 5xx. Without it, it would call once more at the most, and only when it cannot reach us.
 *
 * https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */
export const CONNECTION_OVERRIDES = "#rc=5&rp=ct,rt,5xx";
