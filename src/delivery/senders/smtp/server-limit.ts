/** After connections in a row that did not become ready, the next one is opened only this much later for each of them. */
const PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 500;
/** So many connections in a row that did not become ready, while others are open, show the limit of the server. */
const UNREADY_OF_A_LIMIT = 10;
/** So many connections in a row on which the server refused the first mail mean that half of them would do. */
const UNUSED_OF_A_LIMIT = 20;
/** How long a limit that the server has shown is kept before a higher one is tried. */
const LIMIT_KEPT_MS = 5_000;
/** The same after a refused login: many servers lock an account that fails too often. */
const LOGIN_LIMIT_KEPT_MS = 120_000;
/** Refusals for so long, and so many of them, with no mail in between, mean that the server is out. */
const OUT_AFTER_MS = 2_000;
const REFUSALS_OF_AN_OUTAGE = 5;

/** Learns how many connections a mail server allows, and tells a limit from an outage. */
export class ServerLimit {
  private limit: number;
  private keptUntil = 0;
  private refusals = 0;
  private refusedSince = 0;
  /** How many connections in a row did not become ready. */
  private unready = 0;
  /** How many connections in a row did become ready, but the server refused their first mail. */
  private unused = 0;

  /**
   * @param max the most connections, whatever the server allows
   * @param now a clock that never jumps, in milliseconds
   */
  constructor(
    private readonly max: number,
    private readonly now: () => number,
  ) {
    this.limit = max;
  }

  /** How many connections there may be now. */
  get connections(): number {
    if (this.limit < this.max && this.now() > this.keptUntil) this.keepTo(this.limit * 1.5);
    return this.limit;
  }

  /** The server has accepted or refused a mail, so it works. @param isFirst whether it was the first one on its connection */
  answered(isFirst: boolean): void {
    this.refusals = 0;
    if (isFirst) this.unused = 0;
  }

  /** A connection has become ready for mail. */
  reached(): void {
    this.unready = 0;
  }

  /**
   * The server has refused a connection.
   *
   * @param open how many others there are
   * @param isLogin whether it has refused the login
   * @returns how long to wait before the next one, in milliseconds
   */
  refused(open: number, isLogin: boolean): number {
    this.count();
    if (isLogin) this.keepTo(open, LOGIN_LIMIT_KEPT_MS);
    const pauseMs = Math.min(PAUSE_MS * ++this.unready, LONGEST_PAUSE_MS);
    if (this.unready >= UNREADY_OF_A_LIMIT && open > 0) this.keepTo(open);
    return pauseMs;
  }

  /** The server has ended a connection instead of taking a mail. @param isFresh whether it had carried no mail before */
  ended(isFresh: boolean): void {
    this.count();
    if (isFresh && ++this.unused >= UNUSED_OF_A_LIMIT) this.keepTo(this.limit / 2);
  }

  /** Whether the server does no more than refuse connections. @param open how many there are */
  isOut(open: number): boolean {
    const isLong = this.now() - this.refusedSince > OUT_AFTER_MS;
    return open === 0 && this.refusals >= REFUSALS_OF_AN_OUTAGE && isLong;
  }

  private count(): void {
    if (this.refusals++ === 0) this.refusedSince = this.now();
  }

  private keepTo(limit: number, keptMs = LIMIT_KEPT_MS): void {
    this.limit = Math.min(this.max, Math.max(1, Math.ceil(limit)));
    this.keptUntil = this.now() + keptMs;
    this.unready = 0;
    this.unused = 0;
  }
}
