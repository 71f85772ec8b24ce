import type { Words } from "./words.js";

/** The dual has no number, and its ending changes after a preposition. */
const after = (span: string) => `بعد ${span.replace(/^(\P{Nd}*)ان$/u, "$1ين")}`;
const soon = (wait: string | undefined) => (wait === undefined ? "الآن" : after(wait));

const plural = new Intl.PluralRules("ar");

/** One form for each plural category of Arabic. */
const attemptsLeft = (count: number) => {
  const forms: Record<Intl.LDMLPluralRule, string> = {
    zero: "لم تبقَ محاولات",
    one: "بقيت محاولة واحدة",
    two: "بقيت محاولتان",
    few: `بقيت ${count} محاولات`,
    many: `بقيت ${count} محاولة`,
    other: `بقيت ${count} محاولة`,
  };
  return `${forms[plural.select(count)]} لهذا الرمز.`;
};

export const ar: Words = {
  locale: "ar",
  direction: "rtl",
  name: "العربية",
  chooseLanguage: "اللغة",

  ask: {
    title: "احصل على رمز لمرة واحدة",
    lead: "نرسل إليك رمزًا، فتكتبه هنا ونعرف أنك أنت.",
    label: {
      email: "عنوان البريد الإلكتروني",
      sms: "رقم الهاتف",
      either: "عنوان البريد الإلكتروني أو رقم الهاتف",
    },
    hint: {
      email: "مثل \u2066name@example.com\u2069",
      sms: "مع رمز البلد، مثل \u2066+1\u00a0415\u00a0555\u00a02671\u2069",
      either: "يُكتب رقم الهاتف مع رمز البلد، مثل \u2066+1\u00a0415\u00a0555\u00a02671\u2069",
    },
    send: "إرسال الرمز",
    sending: "جارٍ الإرسال…",
    haveCode: "أدخل الرمز الذي أُرسل إليك",
  },

  enter: {
    title: "أدخل الرمز",
    sentTo: "يُرسَل إلى",
    label: (digits) => `رمز من ${digits} أرقام`,
    verify: "تحقّق",
    checking: "جارٍ التحقق…",
    released: "يمكنك المحاولة الآن.",
    resend: "أعد الإرسال",
    resendIn: (span) => `أعد الإرسال ${after(span)}`,
    resending: "جارٍ إعادة الإرسال…",
    otherAddress: "استخدم عنوانًا آخر",
    disconnected: "انقطع الاتصال. يمكنك كتابة الرمز مع ذلك، ونحن نواصل المحاولة.",
    attemptsLeft,
    noAttemptsLeft: "لم تبقَ محاولات لهذا الرمز. اطلب إرساله من جديد لتحصل على محاولات أخرى.",
  },

  steps: {
    title: "إلى أين وصل",
    name: {
      QUEUED: "في الانتظار",
      PROCESSING: "قيد المعالجة",
      SENT: "أُرسل",
      DELIVERED: "وصل",
      VERIFIED: "تم التحقق",
      FAILED: "تعذّر",
      EXPIRED: "انتهت صلاحيته",
    },
    state: { done: "تمّ", current: "تمّ، وهو الأحدث", ahead: "لم يحدث بعد", unreported: "لم يُبلَّغ عنه" },
    sentence: {
      QUEUED: { email: "رمزك في انتظار الإرسال.", sms: "رمزك في انتظار الإرسال." },
      PROCESSING: { email: "يجري إرسال رمزك.", sms: "يجري إرسال رمزك." },
      SENT: {
        email: "رمزك في الطريق. ابحث في صندوق الوارد وفي البريد غير المرغوب فيه.",
        sms: "رمزك في الطريق إلى هاتفك.",
      },
      DELIVERED: { email: "وصل رمزك. ابحث في صندوق الوارد.", sms: "وصل رمزك إلى هاتفك." },
      VERIFIED: { email: "كان رمزك صحيحًا.", sms: "كان رمزك صحيحًا." },
      FAILED: {
        email: "تعذّر توصيل رمزك. تأكد من العنوان أو أعد الإرسال.",
        sms: "تعذّر توصيل رمزك. تأكد من الرقم أو أعد الإرسال.",
      },
      EXPIRED: {
        email: "انتهت صلاحية هذا الرمز. اطلب رمزًا جديدًا.",
        sms: "انتهت صلاحية هذا الرمز. اطلب رمزًا جديدًا.",
      },
    },
    validUntil: (time) => `وهو صالح حتى ${time}.`,
  },

  verified: {
    title: "تم التحقق منك",
    lead: "أثبتَّ أن هذا لك:",
    again: "ابدأ من جديد",
  },

  gone: "انتهى هذا الدخول أو بدأ في متصفح آخر. اطلب رمزًا جديدًا.",

  refused: {
    INVALID_REQUEST: ({ call, channel, digits }) => {
      if (call === "verify") return `يتكوّن الرمز من ${digits} أرقام. اكتبها كلها.`;
      if (call === "watch") return "لم يعد هذا الدخول معروفًا هنا. اطلب رمزًا جديدًا.";
      return channel === "email"
        ? "هذا ليس عنوان بريد إلكتروني. اكتبه مثل \u2066name@example.com\u2069."
        : "هذا ليس رقم هاتف. اكتبه مع رمز البلد، مثل \u2066+1\u00a0415\u00a0555\u00a02671\u2069.";
    },
    UNDELIVERABLE_ADDRESS: () => "لا يمكن إرسال بريد إلى هذا النطاق. تأكد مما يلي علامة @.",
    OTP_INCORRECT: () => "هذا الرمز غير صحيح. قارنه بآخر رسالة وصلتك.",
    TOO_MANY_ATTEMPTS: ({ wait, isSpent }) =>
      isSpent
        ? "رموز خاطئة كثيرة. اطلب إرسال الرمز من جديد لتحصل على محاولات أخرى."
        : `رموز خاطئة كثيرة لهذا العنوان. يمكنك المحاولة ${soon(wait)}.`,
    RATE_LIMITED: ({ call, wait }) => {
      if (call === "generate") return `أُرسل رمز قبل قليل أو أُرسلت رموز كثيرة. يمكنك طلب رمز آخر ${soon(wait)}.`;
      return `محاولات كثيرة من شبكتك. يمكنك المحاولة ${soon(wait)}.`;
    },
    IDEMPOTENCY_KEY_REUSED: () => "حدث خلط ما. أعد تحميل الصفحة ثم اطلب من جديد.",
    IDEMPOTENCY_KEY_IN_USE: ({ wait }) => `ما زال طلبك قيد التنفيذ. يمكنك المحاولة ${soon(wait)}.`,
    UNAUTHENTICATED: () => "لا يُسمح لهذه الصفحة بذلك هنا. أخبر من يدير الخدمة.",
    UNAVAILABLE: ({ wait }) => `في الخدمة خلل عابر، ولم يضِع شيء. يمكنك المحاولة ${soon(wait)}.`,
    UNREACHABLE: () => "لا يمكن الوصول إلى الخدمة. تأكد من اتصالك ثم حاول من جديد.",
    INTERNAL: () => "حدث خطأ من جانبنا. حاول من جديد بعد قليل.",
  },
};
