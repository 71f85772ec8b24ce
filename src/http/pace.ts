/** How long streams may be silent, and how long their readers. */
export interface Pace {
  /** How often something is sent on a stream of events that has nothing to tell, so that nobody takes it for dead. */
  readonly heartbeatMs: number;
  /** How long what is sent may stay unread. */
  readonly stallMs: number;
}
