// The log of receives: tells the attempts of an untracked task from its other receives. The folder `tracked` implements it.

/** The earlier receives of a message. They are counted from 1, through its series of copies: see `receiveOf`. */
export interface EarlierReceives {
  /** The last receive whose end is logged: the worker lived, and the message came back. 0 if there is none. */
  readonly ended: number;
  /** How many attempts were used up. */
  readonly attempts: number;
  /** How many workers in a row died while they held the message. */
  readonly crashes: number;
  /** The last receive whose handler's start is logged. */
  readonly begun?: number | undefined;
  /** Whether that handler ran alone. */
  readonly alone?: boolean | undefined;
  /** Whether the handler may have killed a worker. */
  readonly suspect?: boolean | undefined;
}

/** Logs the receives of messages. The key is the id of the first message of a series of copies: see `firstIdOf`. */
export interface ReceiveLog {
  /** Reads an entry. Resolves to undefined if there is none. */
  find(firstId: string): Promise<EarlierReceives | undefined>;
  /** Replaces an entry. */
  keep(firstId: string, receives: EarlierReceives): Promise<void>;
}
