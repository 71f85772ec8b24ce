/** Stores texts by key in localStorage, which all tabs share. If it is full or turned off, the texts are lost with the page. */
export class Store {
  private readonly storage = openStorage();
  private readonly overflow = new Map<string, string>();

  get(key: string): string | undefined {
    return this.overflow.get(key) ?? this.storage?.getItem(key) ?? undefined;
  }

  set(key: string, text: string): void {
    this.overflow.set(key, text);
    try {
      this.storage?.setItem(key, text);
      if (this.storage !== undefined) this.overflow.delete(key);
    } catch {
      // localStorage is full.
    }
  }

  delete(key: string): void {
    this.overflow.delete(key);
    this.storage?.removeItem(key);
  }

  keys(): readonly string[] {
    return [...new Set([...this.overflow.keys(), ...Object.keys(this.storage ?? {})])];
  }
}

/** @returns undefined if localStorage is turned off */
function openStorage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
