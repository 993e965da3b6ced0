/** Whose doing a failure was. It decides the outcome of a rollout, never its reward: a fault has none. */
export type Blame = "caller" | "task" | "grader" | "agent" | "engine" | "store";

/** What a fault's code means, once and for all; `docs/errors.md` is held equal to these entries. */
export interface FaultKind {
  readonly blame: Blame;
  /** What has happened, in one sentence. */
  readonly means: string;
  /** What the reader should do about it, in one sentence. */
  readonly remedy: string;
}

export interface FaultOptions {
  readonly cause?: unknown;
  /** Facts that a program may want: paths, names, numbers. Never a token. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class. The message says what happened, to what, what came back and what to do;
 * `code` is stable (`engine/image-missing`) and `blame` says whose doing it was.
 * A tool's error, an exit code, a limit hit or a cancel are results and never a Fault.
 */
export class Fault extends Error {
  readonly code: string;
  readonly blame: Blame;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: string, blame: Blame, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    this.blame = blame;
    this.detail = options.detail ?? {};
  }
}

/** How a fault is kept in a record or printed as JSON. */
export interface FaultRecord {
  readonly code: string;
  readonly blame: Blame;
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly causes: readonly string[];
}

export function faultRecord(fault: Fault): FaultRecord {
  const { code, blame, message, detail } = fault;
  return { code, blame, message, detail, causes: causesOf(fault) };
}

/**
 * Binds a room's table of fault kinds to a maker of faults:
 * `const engineFault = faultMaker("engine", ENGINE_FAULTS)`, then
 * `throw engineFault("image-missing", "…")`.
 */
export function faultMaker<Kinds extends Readonly<Record<string, FaultKind>>>(
  room: string,
  kinds: Kinds,
): (kind: keyof Kinds & string, message: string, options?: FaultOptions) => Fault {
  return (kind, message, options) => {
    const { blame } = kinds[kind] as FaultKind;
    return new Fault(`${room}/${kind}`, blame, message, options);
  };
}

/** A Fault passes untouched, so the innermost attribution wins; anything else becomes `otherwise(error)`. */
export function asFault(error: unknown, otherwise: (error: unknown) => Fault): Fault {
  return error instanceof Fault ? error : otherwise(error);
}

/** The sentence of an unknown thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function causesOf(fault: Fault): string[] {
  const causes: string[] = [];
  let cause: unknown = fault.cause;
  while (cause !== undefined && causes.length < 8) {
    causes.push(messageOf(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}
