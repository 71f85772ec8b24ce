import { it } from "vitest";

/** The nth call returns the nth item, and starts again after the last one. */
export function inTurn<T>(items: readonly [T, ...T[]]): () => T {
  let turn = 0;
  return () => items[turn++ % items.length] ?? items[0];
}

/**
 * Declares tests of behaviour that all protocols share. Each test runs over one protocol. The tests of a file take turns in the order
 * of their declaration, so every protocol is used and a test always runs over the same one.
 *
 * @param prepare makes the argument of the test
 */
export function overOneProtocolEach<P extends string, T>(
  protocols: readonly [P, ...P[]],
  prepare: (protocol: P) => T,
): (title: string, run: (prepared: T) => Promise<void>) => void {
  const next = inTurn(protocols);
  return (title, run) => {
    const protocol = next();
    it(`${title} (called over ${protocol})`, () => run(prepare(protocol)));
  };
}
