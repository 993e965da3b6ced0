import type { EventStream } from "./event-stream.ts";

/** When a client whose stream broke should come back for the rest. */
const RETRY_MS = 1_000;

export interface StoreLimits {
  readonly events: number;
  readonly bytes: number;
}

const LIMITS: StoreLimits = { events: 1_000, bytes: 8 * 1024 * 1024 };

interface StoredEvent {
  readonly stream: ResumableStream;
  readonly number: number;
  readonly text: string;
}

/**
 * The events of one session's streams, so that a client whose connection broke can have what it
 * missed (`Last-Event-ID`). Bounded over all streams: the oldest events go first, and a client
 * that asks for what is no longer there is told so instead of being given half of it.
 */
export class EventStore {
  readonly #limits: StoreLimits;
  readonly #streams = new Map<number, ResumableStream>();
  #events: StoredEvent[] = [];
  /** Index of the oldest event; those before it are dropped now and then. */
  #first = 0;
  #bytes = 0;
  #opened = 0;

  constructor(limits: StoreLimits = LIMITS) {
    this.#limits = limits;
  }

  open(): ResumableStream {
    this.#opened += 1;
    for (const [number, { isOver, kept }] of this.#streams) {
      if (this.#streams.size <= this.#limits.events) break;
      if (isOver && kept === 0) this.#streams.delete(number);
    }
    const stream = new ResumableStream(this.#opened, (event) => this.#keep(event));
    this.#streams.set(this.#opened, stream);
    return stream;
  }

  /**
   * Goes on with the stream that this event belongs to: what came after it, then what is still to
   * come. Returns false if the id is none of ours or what came after it is gone.
   */
  resume(lastEventId: string, output: () => EventStream): boolean {
    const match = /^(\d{1,9})-(\d{1,9})$/.exec(lastEventId);
    const stream = this.#streams.get(Number(match?.[1]));
    const after = Number(match?.[2]);
    if (stream === undefined || after < stream.forgotten || after > stream.last) return false;
    const kept = this.#events.slice(this.#first);
    const missed = kept.filter((event) => event.stream === stream && event.number > after);
    stream.attach(
      output(),
      missed.map(({ number, text }) => [number, text]),
    );
    return true;
  }

  /** Drops everything; streams that are open end. */
  close(): void {
    for (const stream of this.#streams.values()) stream.end();
    this.#streams.clear();
    this.#events = [];
    this.#first = 0;
    this.#bytes = 0;
  }

  #keep(event: StoredEvent): void {
    this.#events.push(event);
    this.#bytes += event.text.length;
    event.stream.kept += 1;
    while (this.#isOver()) this.#forgetOldest();
    if (this.#first < this.#limits.events) return;
    this.#events = this.#events.slice(this.#first);
    this.#first = 0;
  }

  /** The newest event stays whatever its size: its reader may just be reading it. */
  #isOver(): boolean {
    const count = this.#events.length - this.#first;
    return count > 1 && (count > this.#limits.events || this.#bytes > this.#limits.bytes);
  }

  #forgetOldest(): void {
    const oldest = this.#events[this.#first];
    this.#first += 1;
    if (oldest === undefined) return;
    const { stream, number, text } = oldest;
    this.#bytes -= text.length;
    stream.forgotten = number;
    stream.kept -= 1;
    if (stream.isOver && stream.kept === 0) this.#streams.delete(stream.number);
  }
}

/** One stream of a session, over as many connections as it takes. */
export class ResumableStream {
  readonly number: number;
  readonly #keep: (event: StoredEvent) => void;
  #output: EventStream | undefined;
  #isOver = false;
  /** Number of the last event. */
  last = 0;
  /** Events up to this one are no longer there. */
  forgotten = 0;
  /** Events that are still there. */
  kept = 0;

  constructor(number: number, keep: (event: StoredEvent) => void) {
    this.number = number;
    this.#keep = keep;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether a client is reading it now. */
  get isRead(): boolean {
    return this.#output?.isOpen === true;
  }

  /** Begins on this connection, with an event that carries nothing but an id to come back with. */
  begin(output: EventStream): void {
    this.#output = output;
    output.prime(`${this.number}-0`, RETRY_MS);
  }

  /** Goes on with this connection instead of the one before. */
  attach(output: EventStream, missed: readonly (readonly [number, string])[]): void {
    if (this.#output !== output) this.#output?.close();
    this.#output = output;
    for (const [number, text] of missed) output.send(text, `${this.number}-${number}`);
    if (this.#isOver) output.close();
  }

  send(text: string): void {
    if (this.#isOver) return;
    this.last += 1;
    this.#keep({ stream: this, number: this.last, text });
    this.#output?.send(text, `${this.number}-${this.last}`);
  }

  /** Nothing comes after this; what is there can still be fetched. */
  end(): void {
    this.#isOver = true;
    this.#output?.close();
  }
}
