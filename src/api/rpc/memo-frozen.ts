/** Makes something of objects, and only once of one that is frozen: such a one comes again and again, and is always the same. */
export function memoFrozen<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    if (!Object.isFrozen(key)) return make(key);
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}
