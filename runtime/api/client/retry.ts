/** When and how often a request is made again. Only what is safe to repeat ever is. */
export interface RetryOptions {
  /** Attempts in all. Default 8; 1: never again. */
  readonly attempts?: number;
  /** The first pause is at most this; each further one twice as much. Default 200. */
  readonly firstPauseMs?: number;
  /** Longest pause of our own choice. Default 10,000. */
  readonly longestPauseMs?: number;
  /** A `Retry-After` beyond this is not waited for: the error is thrown at once. Default 120,000. */
  readonly longestRetryAfterMs?: number;
}

export type RetryRules = Required<RetryOptions>;

export function retryRules(options: RetryOptions = {}): RetryRules {
  const {
    attempts = 8,
    firstPauseMs = 200,
    longestPauseMs = 10_000,
    longestRetryAfterMs = 120_000,
  } = options;
  return { attempts, firstPauseMs, longestPauseMs, longestRetryAfterMs };
}

/** Milliseconds until the next attempt (from 1), or undefined if there is to be none. */
export function pauseMs(
  rules: RetryRules,
  attempt: number,
  retryAfterMs: number | undefined,
): number | undefined {
  if (attempt >= rules.attempts) return undefined;
  const most = Math.min(rules.longestPauseMs, rules.firstPauseMs * 2 ** (attempt - 1));
  // All of it random: workers that failed together must not come back together.
  const own = Math.random() * most;
  if (retryAfterMs === undefined) return own;
  return retryAfterMs > rules.longestRetryAfterMs ? undefined : retryAfterMs + own;
}

/** Seconds or an HTTP date, in milliseconds from now; undefined if there is none to read. */
export function retryAfterOf(headers: Headers, now = Date.now()): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (value === undefined || value === "") return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/** Whether no byte of the request can have arrived, so that it may be made again whatever it is. */
export function wasNeverSent(error: unknown): boolean {
  return codesOf(error).some((code) => NEVER_SENT.has(code));
}

/** Node's fetch gives up on an answer that takes five minutes to begin, and cannot be told not to. */
export function isFetchImpatience(error: unknown): boolean {
  return codesOf(error).includes("UND_ERR_HEADERS_TIMEOUT");
}

/** Resolves after the pause; rejects with the signal's reason. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Codes along the chain of causes; a failure on several addresses of a host counts as the last. */
function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    if ("code" in current && typeof current.code === "string") codes.push(current.code);
    current = current instanceof AggregateError ? current.errors.at(-1) : current.cause;
  }
  return codes;
}
