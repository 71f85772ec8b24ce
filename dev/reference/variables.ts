import type { ValidatorSpec } from "envalid";
import { BOTH_GROUPS } from "../../src/config/both.js";
import { needing } from "../../src/config/senders.js";
import { SERVER, SERVER_GROUPS } from "../../src/config/server.js";
import { WORKER, WORKER_GROUPS } from "../../src/config/worker.js";
import { SENDERS } from "../../src/delivery/senders/registry.js";

/** A variable as the documents show it. */
export interface Variable {
  readonly name: string;
  readonly usedBy: "server" | "worker" | "both";
  readonly isRequired: boolean;
  /** The senders that need it: it is required if one of them is listed. */
  readonly requiredBy: readonly string[];
  /** As it would be written in the environment; empty if there is none. */
  readonly default: string;
  readonly description: string;
  readonly example: string | undefined;
  /** The URL of a page that says more. */
  readonly docs: string | undefined;
}

/** Variables that belong together. */
export interface Section {
  readonly title: string;
  readonly variables: readonly Variable[];
}

type Specs = Readonly<Record<string, ValidatorSpec<unknown>>>;
type Group = keyof typeof BOTH_GROUPS | keyof typeof SERVER_GROUPS | keyof typeof WORKER_GROUPS;

const TITLES: Readonly<Record<Group, string>> = {
  basics: "Secret, Redis and log",
  listeners: "Listeners",
  access: "Callers",
  codes: "Codes and limits",
  recipients: "Recipients",
  sending: "Sending",
  messages: "Messages",
};

/** All variables of both binaries in their sections: those of the groups, then one for each sender. */
export function sections(): readonly Section[] {
  const groups: Readonly<Record<string, Specs>>[] = [BOTH_GROUPS, SERVER_GROUPS, WORKER_GROUPS];
  const bySender = Object.entries(SENDERS).map(([name, { title, needs, options, receipts }]) => {
    const names = Object.keys({ ...needs, ...options, ...receipts?.needs });
    return { title: `${title}: sender \`${name}\``, names };
  });
  const isShared = (name: string) => bySender.filter(({ names }) => names.includes(name)).length > 1;
  const shared = new Set(bySender.flatMap(({ names }) => names).filter(isShared));

  return [
    ...Object.entries(TITLES).map(([group, title]) => {
      const names = groups.flatMap((one) => Object.keys(one[group] ?? {}));
      return section(title, group === "sending" ? [...names, ...shared] : names);
    }),
    ...bySender.map(({ title, names }) =>
      section(
        title,
        names.filter((name) => !shared.has(name)),
      ),
    ),
  ];
}

function section(title: string, names: readonly string[]): Section {
  return { title, variables: names.map(variable) };
}

function variable(name: string): Variable {
  const server: Specs = SERVER;
  const worker: Specs = WORKER;
  const spec = worker[name] ?? server[name];
  if (spec?.desc === undefined) throw new Error(`${name} has no description, or neither binary reads it`);
  return {
    name,
    usedBy: name in server && name in worker ? "both" : name in server ? "server" : "worker",
    isRequired: !("default" in spec),
    requiredBy: needing(name),
    default: String(spec.default ?? ""),
    description: spec.desc,
    example: spec.example,
    docs: spec.docs,
  };
}
