/** E-mail addresses of which no two are the same. */
export class AddressBook {
  private given = 0;

  /** @param name what they begin with, which tells the addresses of one book from those of another */
  constructor(private readonly name = "person") {}

  next(count: number): readonly string[] {
    const first = this.given;
    this.given += count;
    return Array.from({ length: count }, (_, n) => `${this.name}-${first + n}@example.com`);
  }
}
