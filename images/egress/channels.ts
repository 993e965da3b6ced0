import type { Writable } from "node:stream";
import { Channel } from "./channel.ts";
import { creditFrame, FRAME, type Frame, FrameReader, frame } from "./frames.ts";

export interface ChannelOptions {
  /** Open at the same time. */
  readonly max: number;
  /** A channel over which no byte has gone for so long is ended. Absent: never. */
  readonly idleMs?: number;
  /** Takes channels that the other end opens. Absent: it may open none. */
  readonly onOpen?: (channel: Channel) => void;
}

/**
 * Connections over one pair of streams. Each has a window: its sender waits once so many bytes are
 * on their way, so that a connection that nobody reads holds up no other, and all that is ever
 * held is bounded by windows.
 */
export class Channels {
  readonly #output: Writable;
  readonly #options: ChannelOptions;
  readonly #channels = new Map<number, Channel>();
  readonly #reader = new FrameReader((one) => this.#take(one));
  #waiting: (() => void)[] = [];
  #last = 0;
  #connecting = 0;
  #isClosed = false;

  constructor(output: Writable, options: ChannelOptions) {
    this.#output = output;
    this.#options = options;
    output.on("drain", () => {
      for (const go of this.#waiting.splice(0)) go();
    });
    output.on("error", () => this.close());
  }

  get open(): number {
    return this.#channels.size;
  }

  /**
   * Undefined if there are as many as may be. Where much of what was said is not yet on its way, it
   * waits until that has gone: otherwise one who opens and closes them fills the memory with openings.
   */
  async connect(): Promise<Channel | undefined> {
    if (this.open + this.#connecting >= this.#options.max) return undefined;
    if (this.#output.writableLength > BACKLOG_MAX) {
      this.#connecting += 1;
      await new Promise<void>((go) => this.#waiting.push(go));
      this.#connecting -= 1;
    }
    if (this.#isClosed) return undefined;
    this.#last += 1;
    this.#output.write(frame(FRAME.open, this.#last));
    return this.#add(this.#last);
  }

  /** What has come from the other end. @throws Error if that breaks the rules: close it then */
  push(chunk: Buffer): void {
    if (!this.#isClosed) this.#reader.push(chunk);
  }

  /** Breaks off all channels. */
  close(): void {
    this.#isClosed = true;
    for (const channel of [...this.#channels.values()]) channel.destroy();
    for (const go of this.#waiting.splice(0)) go();
  }

  #add(id: number): Channel {
    const { idleMs } = this.#options;
    const channel = new Channel({
      send: (kind, payload, sent) => this.#send(frame(kind, id, payload), sent),
      credit: (bytes) => this.#send(creditFrame(id, bytes)),
      ...(idleMs === undefined ? {} : { idleMs }),
    });
    this.#channels.set(id, channel);
    channel.on("close", () => this.#channels.delete(id));
    return channel;
  }

  #send(bytes: Buffer, sent: () => void = () => {}): void {
    if (this.#isClosed || this.#output.write(bytes)) sent();
    else this.#waiting.push(sent);
  }

  #take({ kind, channel: id, payload }: Frame): void {
    if (kind === FRAME.open) {
      this.#accept(id);
      return;
    }
    // A frame may have been on its way when the channel was closed here.
    const channel = this.#channels.get(id);
    if (id > this.#last) throw new Error(`a frame of channel ${id}, which was never opened`);
    if (kind === FRAME.data) channel?.received(payload);
    else if (kind === FRAME.end) channel?.ended();
    else if (kind === FRAME.reset) channel?.broken();
    else channel?.credited(payload.readUInt32BE());
  }

  #accept(id: number): void {
    const { onOpen, max } = this.#options;
    if (onOpen === undefined || id <= this.#last) throw new Error(`channel ${id} was opened again`);
    this.#last = id;
    if (this.open >= max) this.#send(frame(FRAME.reset, id));
    else onOpen(this.#add(id));
  }
}

const BACKLOG_MAX = 1024 * 1024;
