import type { Socket } from "node:net";
import { pause } from "../../base/deadline.ts";
import { Fault } from "../../base/fault.ts";
import { engineFault } from "../faults.ts";
import { type DockerApi, failed, failureOf, Refusal } from "./docker-api.ts";

/** How often Docker is asked for an exit code that it has not noted yet. */
const EXIT_CODE_PAUSE_MS = 20;

export interface ExecRequest {
  /** For messages. */
  readonly what: string;
  readonly container: string;
  readonly body: object;
  /** Until Docker has taken it; what was taken is started. */
  readonly signal?: AbortSignal | undefined;
}

export interface StartedExec {
  readonly execId: string;
  readonly socket: Socket;
}

/**
 * Has Docker run a program, once: where the answer to a start was lost it is asked whether the
 * program was started, and only one that was not is started again. Rejects with `engine/box-gone`,
 * `engine/exec-refused`, `engine/no-answer` and its like.
 */
export async function startExec(api: DockerApi, request: ExecRequest): Promise<StartedExec> {
  const { what, container, body, signal } = request;
  const path = `/containers/${container}/exec`;
  try {
    // One that is never started costs a few bytes until its container goes.
    const ask = { what, method: "POST", path, body, again: "failed", signal } as const;
    const { Id } = await api.json<{ Id: string }>(ask);
    return { execId: Id, socket: await start(api, what, Id) };
  } catch (error) {
    // 404: no such container; 409: it is stopped or paused.
    if (error instanceof Refusal && [404, 409].includes(error.status)) {
      throw engineFault("box-gone", error.message, { cause: error });
    }
    if (error instanceof Refusal && error.status === 400) {
      throw engineFault("exec-refused", error.message, { cause: error });
    }
    throw failed(error);
  }
}

async function start(api: DockerApi, what: string, execId: string): Promise<Socket> {
  const request = { what, method: "POST", path: `/exec/${execId}/start` } as const;
  const patience = api.patience();
  for (;;) {
    try {
      return await api.upgrade({ ...request, body: { Detach: false, Tty: false } });
    } catch (error) {
      if (isLate(error)) throw engineFault("not-started", error.message, { cause: error });
      if (failureOf(error) !== "lost" || !(await patience.pause())) throw error;
      const { Running, ExitCode } = await stateOf(api, execId);
      if (Running || ExitCode !== null) throw error;
    }
  }
}

/** Docker had taken the program: it waits for the box. */
function isLate(error: unknown): error is Fault {
  return error instanceof Fault && error.code === "engine/no-answer" && error.cause === undefined;
}

/** With what a program has ended; null if Docker does not say that it has within `waitMs`. */
export async function exitCodeOf(
  api: DockerApi,
  execId: string,
  waitMs: number,
): Promise<number | null> {
  const untilMs = performance.now() + waitMs;
  for (;;) {
    const { Running, ExitCode } = await stateOf(api, execId);
    if (!Running) return ExitCode;
    if (performance.now() > untilMs) return null;
    await pause(EXIT_CODE_PAUSE_MS);
  }
}

interface ExecState {
  readonly Running: boolean;
  readonly ExitCode: number | null;
}

async function stateOf(api: DockerApi, execId: string): Promise<ExecState> {
  const what = "ask how a program fares";
  return await api.json<ExecState>({ what, method: "GET", path: `/exec/${execId}/json` });
}
