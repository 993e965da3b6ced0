/** An RFC 9457 problem document as the service writes it. */
export interface Problem {
  readonly type?: string;
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  /** Our fault code: `rollout/queue-full`. */
  readonly code?: string;
  readonly [member: string]: unknown;
}

export interface ClocheErrorParts {
  /** The service's fault code, or one of the client's own: `client/…`. */
  readonly code: string;
  /** The HTTP status; null if there was no answer. */
  readonly status: number | null;
  /** What happened and what to do, for a person. */
  readonly detail: string;
  readonly problem?: Problem | null;
}

/**
 * The one error of the client. `code` is stable and says what went wrong: a code of docs/errors.md,
 * or `client/unreachable` (no answer), `client/bad-answer` (not an answer of Cloche),
 * `client/tool-protocol-error` (the endpoint refused a call), `client/rollout-ended` (it ended
 * before it served).
 */
export class ClocheError extends Error {
  readonly code: string;
  readonly status: number | null;
  readonly detail: string;
  /** The whole document that came back, if there was one. */
  readonly problem: Problem | null;

  constructor({ code, status, detail, problem = null }: ClocheErrorParts, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.name = "ClocheError";
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.problem = problem;
  }
}

const SHOWN = 500;

/** The error that an answer with a status of 400 or more stands for. */
export function errorOf(status: number, text: string, what: string): ClocheError {
  const problem = problemOf(text);
  if (problem === null || typeof problem.code !== "string") {
    const said = text.trim() === "" ? "nothing" : text.trim().slice(0, SHOWN);
    const detail = `${what} was answered with HTTP ${status} and ${said}`;
    return new ClocheError({ code: "client/bad-answer", status, detail, problem });
  }
  const detail = problem.detail ?? problem.title ?? `${what} was answered with HTTP ${status}`;
  return new ClocheError({ code: problem.code, status, detail, problem });
}

function problemOf(text: string): Problem | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Problem) : null;
  } catch {
    return null;
  }
}
