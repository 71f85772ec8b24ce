/** A code that is certainly another one. */
export const otherThan = (code: string): string => (code === "000000" ? "000001" : "000000");
