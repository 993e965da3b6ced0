/** A JSON-RPC message as it crosses a link. The pump looks at these members and at nothing else. */
export interface JsonRpcMessage {
  readonly jsonrpc: "2.0";
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: unknown;
  };
}

/** Why a link is no longer there, in a sentence fit for the end of an error message. */
export interface LinkClosed {
  /** "the server ended with exit code 1", "a line of 70,000,000 bytes without an end". */
  readonly reason: string;
  readonly exitCode: number | null;
  /** The engine lost it: it did not end by itself, and nobody here ended it. */
  readonly isLoss?: boolean;
}

/**
 * A duplex of JSON-RPC messages with one MCP server, from the moment it is started. What arrives
 * is handed over in order, checked to be a JSON-RPC message of bounded size and depth, otherwise
 * as the server sent it.
 */
export interface ServerLink extends AsyncDisposable {
  /**
   * Sends one message. Never throws and never waits: on a closed link the message goes nowhere,
   * and `closed` says so. `text` is the message as JSON if the caller has it, so that a large one
   * is not written twice; a link may ignore it.
   */
  send(message: JsonRpcMessage, text?: string): void;

  /**
   * Sets the one listener; what arrived before is handed to it first, in order. A listener must
   * not throw. `text` is what the server wrote, if the link has it: one line, without its end.
   */
  onMessage(listener: (message: JsonRpcMessage, text?: string) => void): void;

  /** Resolves once, when the server is gone, the link broke or it was disposed; never rejects. */
  readonly closed: Promise<LinkClosed>;

  /** The end of what the server wrote to its standard error, at most 16 KiB; "" if nothing. */
  readonly stderrTail: string;

  /** Ends the server for what it did; `closed` says this reason. */
  break(reason: string): void;

  /** Ends the server and lets go of the streams. Idempotent, bounded in time, never throws. */
  [Symbol.asyncDispose](): Promise<void>;
}
