/** Prints the ports in the format of our own programs, and exits on SIGTERM as they do. */
export function sayListening(ports: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify({ ...ports, msg: "listening" })}\n`);
  process.once("SIGTERM", () => process.exit(0));
}
