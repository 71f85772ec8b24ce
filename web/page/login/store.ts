/** Texts by their keys, in the browser's storage, which all tabs share. What that does not take (it can be full, or turned off) ends with the page. */
export class Store {
  private readonly kept = openStorage();
  private readonly overflow = new Map<string, string>();

  get(key: string): string | undefined {
    return this.overflow.get(key) ?? this.kept?.getItem(key) ?? undefined;
  }

  set(key: string, text: string): void {
    this.overflow.set(key, text);
    try {
      this.kept?.setItem(key, text);
      if (this.kept !== undefined) this.overflow.delete(key);
    } catch {
      // There is no room for it.
    }
  }

  delete(key: string): void {
    this.overflow.delete(key);
    this.kept?.removeItem(key);
  }

  keys(): readonly string[] {
    return [...new Set([...this.overflow.keys(), ...Object.keys(this.kept ?? {})])];
  }
}

/** @returns undefined where it is turned off */
function openStorage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
