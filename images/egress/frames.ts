/**
 * How connections travel over one pair of streams: a frame is a kind (1 byte), the number of a
 * channel (4), the length of what follows (3), and that. Both ends are programs of ours, but a
 * sandbox is between them, so what is no frame ends the whole.
 */
export const FRAME = { open: 1, data: 2, end: 3, reset: 4, credit: 5 } as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  readonly kind: FrameKind;
  readonly channel: number;
  readonly payload: Buffer;
}

/** Of what one frame carries. */
export const PAYLOAD_MAX = 32 * 1024;

const HEADER = 8;
const EMPTY = Buffer.alloc(0);
const CREDIT_BYTES = 4;
const CHANNEL_MAX = 2 ** 32 - 1;

/** @throws Error for a payload or channel that has no room in a frame */
export function frame(kind: FrameKind, channel: number, payload: Buffer = EMPTY): Buffer {
  if (payload.length > PAYLOAD_MAX || channel > CHANNEL_MAX) throw new Error("no such frame");
  const bytes = Buffer.allocUnsafe(HEADER + payload.length);
  bytes.writeUInt8(kind, 0);
  bytes.writeUInt32BE(channel, 1);
  bytes.writeUIntBE(payload.length, 5, 3);
  payload.copy(bytes, HEADER);
  return bytes;
}

/** "You may send so many bytes more." */
export function creditFrame(channel: number, bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(CREDIT_BYTES);
  payload.writeUInt32BE(bytes);
  return frame(FRAME.credit, channel, payload);
}

/** Cuts a stream into frames, however it comes. Holds less than one frame between two chunks. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  #held: Buffer = EMPTY;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws Error for what is no frame; nothing may be pushed after that */
  push(chunk: Buffer): void {
    let rest: Buffer = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    while (rest.length >= HEADER) {
      const [kind, channel, length] = headOf(rest);
      if (rest.length < HEADER + length) break;
      const payload = rest.subarray(HEADER, HEADER + length);
      rest = rest.subarray(HEADER + length);
      this.#onFrame({ kind, channel, payload });
    }
    this.#held = Buffer.from(rest);
  }
}

const KINDS: readonly number[] = Object.values(FRAME);

function headOf(bytes: Buffer): readonly [FrameKind, number, number] {
  const kind = bytes.readUInt8(0);
  const length = bytes.readUIntBE(5, 3);
  if (!KINDS.includes(kind)) throw new Error(`a frame of kind ${kind}`);
  const isFit =
    kind === FRAME.data
      ? length > 0 && length <= PAYLOAD_MAX
      : length === (kind === FRAME.credit ? CREDIT_BYTES : 0);
  if (!isFit) throw new Error(`a frame of kind ${kind} with ${length} bytes`);
  return [kind as FrameKind, bytes.readUInt32BE(1), length];
}
