/** Says the ports as our own programs do, and ends as they do. */
export function sayListening(ports: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify({ ...ports, msg: "listening" })}\n`);
  process.once("SIGTERM", () => process.exit(0));
}
