import { it } from "vitest";

/** The nth call returns the nth item, and starts again after the last one. */
export function inTurn<T>(items: readonly [T, ...T[]]): () => T {
  let turn = 0;
  return () => items[turn++ % items.length] ?? items[0];
}

/**
 * Declares tests of what all protocols share. Each test runs over one protocol, and the tests of a file take turns in the order
 * in which they are declared, so that every protocol takes part and a test always runs over the same one.
 *
 * @param prepare makes what the test is given
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
