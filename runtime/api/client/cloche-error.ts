/** An RFC 9457 problem document as the service writes it. */
export interface Problem {
  readonly type?: string;
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  /** Our fault code: `rollout/queue-full`. */
  readonly code?: string;
  readonly remedy?: string;
  readonly [member: string]: unknown;
}

export interface ClocheErrorParts {
  /** The service's fault code, or one of the client's own: `client/…`. */
  readonly code: string;
  /** The HTTP status; null if there was no answer. */
  readonly status: number | null;
  /** What happened, and to what. */
  readonly detail: string;
  /** What to do. Default: what is known of the code. */
  readonly advice?: string | undefined;
  readonly problem?: Problem | null;
}

/** What to do about the client's own codes. Those of the service come with their own advice. */
const ADVICE: Readonly<Record<string, string>> = {
  "client/unreachable": "See that the service runs at this URL and that nothing is in between.",
  "client/bad-answer": "See that the URL is that of a Cloche service of this version.",
  "client/tool-protocol-error":
    "See that the tool is one of rollout.tools(), spelt as it is there.",
  "client/rollout-ended": "Read its record, or ask for another rollout.",
  "client/not-ended": "Finish it first, or use attach to take it over.",
};

/**
 * The one error of the client. `code` is stable and says what went wrong: a code of docs/errors.md,
 * or `client/unreachable` (no answer), `client/bad-answer` (not an answer of Cloche),
 * `client/tool-protocol-error` (the endpoint refused a call), `client/rollout-ended` (it ended
 * before it served), `client/not-ended`.
 */
export class ClocheError extends Error {
  readonly code: string;
  readonly status: number | null;
  /** What happened, and to what. */
  readonly detail: string;
  /** What to do; empty if nothing is known. */
  readonly advice: string;
  /** The whole document that came back, if there was one. */
  readonly problem: Problem | null;

  constructor(parts: ClocheErrorParts, options?: ErrorOptions) {
    const { code, status, detail, problem = null } = parts;
    const advice = parts.advice ?? ADVICE[code] ?? "";
    super(`${code}: ${detail}${advice === "" ? "" : ` [${advice}]`}`, options);
    this.name = "ClocheError";
    this.advice = advice;
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
  const { code, remedy: advice } = problem;
  return new ClocheError({ code, status, detail, advice, problem });
}

function problemOf(text: string): Problem | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Problem) : null;
  } catch {
    return null;
  }
}
