/** Generates email addresses, all different. */
export class AddressBook {
  private given = 0;

  /** @param name the beginning of each address, which distinguishes the addresses of one book from those of another */
  constructor(private readonly name = "person") {}

  next(count: number): readonly string[] {
    const first = this.given;
    this.given += count;
    return Array.from({ length: count }, (_, n) => `${this.name}-${first + n}@example.com`);
  }
}
