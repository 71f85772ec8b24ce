import type { CleanedEnv, OptionalValidatorSpec, RequiredValidatorSpec, ValidatorSpec } from "envalid";
import { baseUrl, mailFrom, rate } from "../../config/values.js";
import type { ReceiptReader } from "../../otp/delivery/receipts.js";
import type { Channel } from "../../otp/recipient/recipient.js";
import type { ConfiguredSender, Mail, Sms } from "../sender.js";

type Specs = Readonly<Record<string, ValidatorSpec<unknown>>>;
type RequiredSpecs = Readonly<Record<string, RequiredValidatorSpec<unknown>>>;

interface Messages {
  readonly email: Mail;
  readonly sms: Sms;
}

/** Everything that the configuration must know about one provider. Its name is its key in the registry. */
interface Settings<C extends Channel, N extends RequiredSpecs, O extends Specs, R extends RequiredSpecs> {
  /** The provider's name as its customers know it. */
  readonly title: string;
  readonly channel: C;
  /** The variables that the worker must be given if it is to send through this provider. */
  readonly needs: N;
  /** The variables that the worker reads besides these. */
  readonly options: O;
  /** Checks the rules that involve several options. @returns a line per problem, which names the variable */
  problems?(config: CleanedEnv<O>): readonly string[];
  /** Finds settings that are valid but risky. @returns a line per setting, which names the variable */
  warnings?(config: CleanedEnv<N>): readonly string[];
  /** Builds the sender. It imports the sender's code, so that a process loads only the SDKs of the providers that it uses. */
  open(config: CleanedEnv<N> & CleanedEnv<O>): Promise<ConfiguredSender<Messages[C]>>;
  /** How the server reads the provider's receipts, if it sends any, and the variables that the server needs for that. */
  readonly receipts?: { readonly needs: R; open(config: CleanedEnv<R>): Promise<ReceiptReader> };
}

/** A configuration in which variables that a provider needs may be missing: they are required only where it is listed. */
type Given<Values> = { readonly [Name in keyof Values]: Values[Name] | undefined };

/** Defines a provider so that `open` takes the whole configuration of a binary and checks that nothing is missing. */
export function senderSettings<
  C extends Channel,
  N extends RequiredSpecs,
  O extends Specs,
  R extends RequiredSpecs = Record<never, never>,
>(settings: Settings<C, N, O, R>) {
  const { title, needs, receipts } = settings;
  return {
    ...settings,
    /** @throws if a variable is missing, which the worker's configuration rules out for a sender that is listed */
    open: async (config: Given<CleanedEnv<N>> & CleanedEnv<O>): Promise<ConfiguredSender<Messages[C]>> => {
      if (!isComplete<CleanedEnv<N>>(needs, config)) throw new Error(`${title} lacks variables that it needs`);
      return settings.open(config);
    },
    /** @returns a line per setting that is valid but risky */
    warnings: (config: Given<CleanedEnv<N>>): readonly string[] =>
      isComplete<CleanedEnv<N>>(needs, config) ? (settings.warnings?.(config) ?? []) : [],
    receipts: receipts && {
      needs: receipts.needs,
      /** @returns the names of the variables without which the server does not read receipts */
      missing: (config: Given<CleanedEnv<R>>): readonly string[] => missing(receipts.needs, config),
      /** @returns undefined if a variable is missing */
      open: async (config: Given<CleanedEnv<R>>): Promise<ReceiptReader | undefined> =>
        isComplete<CleanedEnv<R>>(receipts.needs, config) ? receipts.open(config) : undefined,
    },
  };
}

function isComplete<Values>(needs: RequiredSpecs, config: Given<Values>): config is Values {
  return missing(needs, config).length === 0;
}

function missing(needs: RequiredSpecs, config: object): string[] {
  return Object.keys(needs).filter((name) => Reflect.get(config, name) === undefined);
}

/** The variables that several providers share. */
export const MAIL_FROM = mailFrom({
  desc: "The From header of every email: an address, or a name and an address.",
  example: "Example Shop <otp@example.com>",
});
export const PUBLIC_URL = baseUrl({
  desc: "Where providers reach the server, to report whether a message arrived. Without it, no provider is asked for receipts.",
  example: "https://otp.example.com",
});

export function optional<T>(spec: RequiredValidatorSpec<T>): OptionalValidatorSpec<T> {
  return { ...spec, default: undefined };
}

/** The spec of the variable that limits a provider's rate. */
export const perSecond = (title: string) =>
  rate({
    default: 0,
    desc: `Messages per second that all workers together may hand to ${title}, 0 to 100000, decimals allowed; 0 means no limit.`,
  });
