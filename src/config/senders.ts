import type { OptionalValidatorSpec, RequiredValidatorSpec, ValidatorSpec } from "envalid";
import { SENDERS, type SenderName } from "../delivery/senders/registry.js";
import { optional } from "../delivery/senders/settings.js";

type Settings = (typeof SENDERS)[SenderName];
type ReceiptSettings = NonNullable<Settings["receipts"]>;

/** The same variables, none of them required by themselves. */
type Optional<Specs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends RequiredValidatorSpec<infer T> ? OptionalValidatorSpec<T> : never;
};

/** One object type with the properties of all members of a union: each provider has variables of its own. */
type Merged<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

const providers = Object.entries(SENDERS);

// Object.assign has no type for the merger of a list, so the annotations of these two state what the registry yields.

/** The variables of the providers that the worker reads. What a provider needs is required where it is listed. */
export const SENDER_VARIABLES: Merged<Optional<Settings["needs"]> | Settings["options"]> = Object.assign(
  {},
  ...providers.map(([, { options }]) => options),
  ...providers.map(([, { needs }]) => mapSpecs(needs, requiredWhenListed)),
);

/** The variables of the providers that the server reads, to check their receipts. */
export const RECEIPT_VARIABLES: Merged<Optional<ReceiptSettings["needs"]>> = Object.assign(
  {},
  ...providers.map(([, { receipts }]) => mapSpecs(receipts?.needs ?? {}, (_name, spec) => optional(spec))),
);

/** The names of the providers that need this variable to send. */
export function needing(variable: string): readonly string[] {
  return providers.flatMap(([name, { needs }]) => (variable in needs ? [name] : []));
}

function requiredWhenListed<T>(variable: string, spec: RequiredValidatorSpec<T>): OptionalValidatorSpec<T> {
  const names = needing(variable);
  return {
    ...optional(spec),
    requiredWhen: ({ EMAIL_SENDERS, SMS_SENDERS }) =>
      [EMAIL_SENDERS, SMS_SENDERS].flat().some((listed) => names.includes(String(listed))),
  };
}

function mapSpecs(
  specs: Readonly<Record<string, RequiredValidatorSpec<unknown>>>,
  change: (name: string, spec: RequiredValidatorSpec<unknown>) => ValidatorSpec<unknown>,
): Record<string, ValidatorSpec<unknown>> {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, change(name, spec)]));
}
