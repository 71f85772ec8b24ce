import type { Words } from "./words.js";

const soon = (wait: string | undefined) => (wait === undefined ? "now" : `in ${wait}`);

export const en: Words = {
  locale: "en",
  direction: "ltr",
  name: "English",
  chooseLanguage: "Language",

  ask: {
    title: "Get a one-time code",
    lead: "We send you a code. You type it here, and we know it is you.",
    label: { email: "E-mail address", sms: "Phone number", either: "E-mail address or phone number" },
    hint: {
      email: "For example name@example.com",
      sms: "With the country code, for example +1\u00a0415\u00a0555\u00a02671",
      either: "A phone number needs its country code, for example +1\u00a0415\u00a0555\u00a02671",
    },
    send: "Send code",
    sending: "Sending…",
    haveCode: "Enter the code you were sent",
  },

  enter: {
    title: "Enter your code",
    sentTo: "It goes to",
    label: (digits) => `Code of ${digits} digits`,
    verify: "Verify",
    checking: "Checking…",
    released: "You can try again now.",
    resend: "Send it again",
    resendIn: (span) => `Send it again in ${span}`,
    resending: "Sending again…",
    otherAddress: "Use another address",
    disconnected: "The connection is lost. You can type your code all the same: we keep trying.",
    triesLeft: (count) => (count === 1 ? "One try is left with this code." : `${count} tries are left with this code.`),
    noTriesLeft: "No tries are left with this code. Have it sent again for new ones.",
  },

  steps: {
    title: "How far it has come",
    name: {
      QUEUED: "Queued",
      PROCESSING: "Processing",
      SENT: "Sent",
      DELIVERED: "Delivered",
      VERIFIED: "Verified",
      FAILED: "Failed",
      EXPIRED: "Expired",
    },
    state: { done: "done", current: "done, the latest", ahead: "not yet", untold: "not reported" },
    sentence: {
      QUEUED: { email: "Your code is waiting to be sent.", sms: "Your code is waiting to be sent." },
      PROCESSING: { email: "Your code is being sent.", sms: "Your code is being sent." },
      SENT: {
        email: "Your code is on its way. Look in your inbox, and in the spam folder.",
        sms: "Your code is on its way to your phone.",
      },
      DELIVERED: { email: "Your code has arrived. Look in your inbox.", sms: "Your code has arrived on your phone." },
      VERIFIED: { email: "Your code was right.", sms: "Your code was right." },
      FAILED: {
        email: "Your code could not be delivered. Check the address, or have it sent again.",
        sms: "Your code could not be delivered. Check the number, or have it sent again.",
      },
      EXPIRED: {
        email: "This code has expired. Have a new one sent.",
        sms: "This code has expired. Have a new one sent.",
      },
    },
    goodUntil: (time) => `It is good until ${time}.`,
  },

  verified: {
    title: "You are verified",
    lead: "You have shown that this is yours:",
    again: "Start again",
  },

  gone: "That login is over, or was begun in another browser. Ask for a new code.",

  refused: {
    INVALID_REQUEST: ({ call, channel, digits }) => {
      if (call === "verify") return `A code has ${digits} digits. Type all of them.`;
      if (call === "watch") return "This login is not known here any more. Ask for a new code.";
      return channel === "email"
        ? "That is not an e-mail address. Write it like name@example.com."
        : "That is not a phone number. Write it with the country code, like +1\u00a0415\u00a0555\u00a02671.";
    },
    UNDELIVERABLE_ADDRESS: () => "No mail can be sent to that domain. Check what follows the @.",
    OTP_INCORRECT: () => "That code is not right. Compare it with the latest message you were sent.",
    TOO_MANY_ATTEMPTS: ({ wait, isSpent }) =>
      isSpent
        ? "Too many wrong codes. Have it sent again, and use the new tries."
        : `Too many wrong codes for this address. You can try again ${soon(wait)}.`,
    RATE_LIMITED: ({ call, wait }) => {
      if (call === "generate")
        return `A code was sent just now, or too many were. You can ask for another ${soon(wait)}.`;
      return `Too many tries from your network. You can try again ${soon(wait)}.`;
    },
    IDEMPOTENCY_KEY_REUSED: () => "Something got mixed up. Reload the page, and ask again.",
    IDEMPOTENCY_KEY_IN_USE: ({ wait }) => `Your request is still under way. You can try again ${soon(wait)}.`,
    UNAUTHENTICATED: () => "This page may not do that here. Tell whoever runs the service.",
    UNAVAILABLE: ({ wait }) => `The service has a moment of trouble. Nothing is lost: you can try again ${soon(wait)}.`,
    UNREACHABLE: () => "The service cannot be reached. Check your connection, and try again.",
    INTERNAL: () => "Something went wrong on our side. Try again in a moment.",
  },
};
