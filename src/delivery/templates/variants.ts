import type { VariantName } from "./file-name.js";

/** The templates of a channel, each for a purpose and a locale. */
export class Variants<T extends VariantName> implements Iterable<T> {
  private readonly byName: ReadonlyMap<string, T>;

  constructor(all: readonly T[]) {
    this.byName = new Map(all.map((variant) => [keyOf(variant.locale.toLowerCase(), variant.purpose), variant]));
  }

  /**
   * Finds the template for a purpose in the nearest language. Who cannot read a message is not helped by its fitting the purpose, so
   * that only chooses between templates of one language.
   *
   * @throws when there is none, not even the default
   */
  find({ purpose, locale }: VariantName): T {
    for (const language of lookUpOrder(locale)) {
      const variant = this.byName.get(keyOf(language, purpose)) ?? this.byName.get(keyOf(language, ""));
      if (variant !== undefined) return variant;
    }
    throw new Error("there is no default template");
  }

  [Symbol.iterator](): Iterator<T> {
    return this.byName.values();
  }
}

/** A locale, then what it is a part of, by RFC 4647 §3.4: fr-ca, fr, and empty for the default. */
function* lookUpOrder(locale: string): Generator<string> {
  let subtags = locale.toLowerCase().split("-");
  while (subtags.length > 0) {
    yield subtags.join("-");
    const introducesTheLast = subtags.at(-2)?.length === 1;
    subtags = subtags.slice(0, introducesTheLast ? -2 : -1);
  }
  yield "";
}

function keyOf(language: string, purpose: string): string {
  return `${language}/${purpose}`;
}
