import type { Words } from "./words.js";

const soon = (wait: string | undefined) => (wait === undefined ? "now" : `in ${wait}`);

export const en: Words = {
  locale: "en",
  direction: "ltr",
  name: "English",
  chooseLanguage: "Language",

  ask: {
    title: "Get a one-time code",
    lead: "We send you a code. Enter it here to confirm that it is you.",
    label: { email: "Email address", sms: "Phone number", either: "Email address or phone number" },
    hint: {
      email: "For example name@example.com",
      sms: "With the country code, for example +1\u00a0415\u00a0555\u00a02671",
      either: "A phone number needs its country code, for example +1\u00a0415\u00a0555\u00a02671",
    },
    send: "Send code",
    sending: "Sending…",
    haveCode: "Enter the code we sent you",
  },

  enter: {
    title: "Enter your code",
    sentTo: "Your code goes to",
    label: (digits) => `${digits}-digit code`,
    verify: "Verify",
    checking: "Checking…",
    released: "You can try again now.",
    resend: "Send it again",
    resendIn: (span) => `Send it again in ${span}`,
    resending: "Sending again…",
    otherAddress: "Use another address",
    disconnected: "Connection lost. We are reconnecting. You can still enter your code.",
    attemptsLeft: (count) => `${count} ${count === 1 ? "attempt" : "attempts"} left for this code.`,
    noAttemptsLeft: "No attempts left for this code. Send it again to get new ones.",
  },

  steps: {
    title: "Delivery progress",
    name: {
      QUEUED: "Queued",
      PROCESSING: "Processing",
      SENT: "Sent",
      DELIVERED: "Delivered",
      VERIFIED: "Verified",
      FAILED: "Failed",
      EXPIRED: "Expired",
    },
    state: { done: "done", current: "latest step", ahead: "not yet", unreported: "not reported" },
    sentence: {
      QUEUED: { email: "Your code is waiting to be sent.", sms: "Your code is waiting to be sent." },
      PROCESSING: { email: "Your code is being sent.", sms: "Your code is being sent." },
      SENT: {
        email: "Your code is on its way. Check your inbox and your spam folder.",
        sms: "Your code is on its way to your phone.",
      },
      DELIVERED: { email: "Your code has arrived. Check your inbox.", sms: "Your code has arrived on your phone." },
      VERIFIED: { email: "Your code was correct.", sms: "Your code was correct." },
      FAILED: {
        email: "We could not deliver your code. Check the address, or send the code again.",
        sms: "We could not deliver your code. Check the number, or send the code again.",
      },
      EXPIRED: {
        email: "This code has expired. Ask for a new one.",
        sms: "This code has expired. Ask for a new one.",
      },
    },
    validUntil: (time) => `It is valid until ${time}.`,
  },

  verified: {
    title: "You are verified",
    lead: "You have confirmed that this is yours:",
    again: "Start again",
  },

  gone: "That login has ended, or it was started in another browser. Ask for a new code.",

  refused: {
    INVALID_REQUEST: ({ call, channel, digits }) => {
      if (call === "verify") return `The code has ${digits} digits. Enter all of them.`;
      if (call === "watch") return "The service no longer knows this login. Ask for a new code.";
      return channel === "email"
        ? "That is not an email address. Write it like name@example.com."
        : "That is not a phone number. Write it with the country code, like +1\u00a0415\u00a0555\u00a02671.";
    },
    UNDELIVERABLE_ADDRESS: () => "That domain does not accept email. Check the part after the @.",
    OTP_INCORRECT: () => "That code is not correct. Compare it with the latest message that we sent you.",
    TOO_MANY_ATTEMPTS: ({ wait, isSpent }) =>
      isSpent
        ? "Too many wrong codes. Send the code again to get new attempts."
        : `Too many wrong codes for this address. You can try again ${soon(wait)}.`,
    RATE_LIMITED: ({ call, wait }) => {
      if (call === "generate")
        return `We sent a code a moment ago, or we have sent too many. You can ask for another ${soon(wait)}.`;
      return `Too many attempts from your network. You can try again ${soon(wait)}.`;
    },
    IDEMPOTENCY_KEY_REUSED: () => "Something got mixed up. Reload the page and ask again.",
    IDEMPOTENCY_KEY_IN_USE: ({ wait }) => `Your request is still in progress. You can try again ${soon(wait)}.`,
    UNAUTHENTICATED: () => "This page is not allowed to do that. Tell the operator of the service.",
    UNAVAILABLE: ({ wait }) =>
      `The service is temporarily unavailable. Nothing is lost: you can try again ${soon(wait)}.`,
    UNREACHABLE: () => "The service cannot be reached. Check your connection and try again.",
    INTERNAL: () => "Something went wrong on our side. Try again in a moment.",
  },
};
