import { pause } from "../../base/deadline.ts";
import { Fault, messageOf } from "../../base/fault.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Size } from "./driver.ts";
import type { Place } from "./framed-process.ts";
import { Job, type JobOutput } from "./job.ts";
import { type CommandResult, Session } from "./session.ts";

/** The sandbox is no longer there, or its engine does not answer: no tool can say anything. */
class TerminalLost extends Error {}

const FULL_HOUSE = new Set(["engine/exec-refused", "engine/not-started"]);
const SESSIONS = 16;
const RUNNING_JOBS = 16;
/** Ended jobs beyond this are forgotten, the oldest first. */
const KEPT_JOBS = 64;
const LOOKS = 4;
const LOOK_PAUSE_MS = 100;

/**
 * The sessions and background jobs of one sandbox. Errors that it throws are sentences for the
 * agent, but for `TerminalLost`.
 */
export class Terminal implements AsyncDisposable {
  readonly #place: Place;
  readonly #onLost: (reason: string, isLoss: boolean) => void;
  readonly #sessions = new Map<string, Session>();
  readonly #jobs = new Map<string, Job>();
  readonly #isResumed: boolean;
  /** Sessions whose answers have said that what was before is gone. */
  readonly #told = new Set<string>();
  #jobCount = 0;
  #closed = false;
  /** The engine lost a shell or a job. */
  #hasLost = false;

  constructor(place: Place, onLost: (reason: string, isLoss: boolean) => void, isResumed: boolean) {
    this.#place = place;
    this.#onLost = onLost;
    this.#isResumed = isResumed;
  }

  /** What the first answer of a session has to say before anything else; "" from then on. */
  news(name: string): string {
    if (!this.#isResumed || this.#told.has(name)) return "";
    this.#told.add(name);
    return (
      `[the runtime was restarted: sessions and jobs of before are gone, and session "${name}" ` +
      `began anew in ${this.#place.cwd}, without earlier variables; files are as they were]\n`
    );
  }

  get sessions(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  get jobs(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  async run(
    name: string,
    command: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<CommandResult> {
    const session = this.#sessionFor(name);
    const run = session.run({ command, timeoutMs, signal });
    const result = await run.catch((error: unknown) => this.#explain(error, "start a shell"));
    // Nobody said how the shell ended: perhaps the box has ended, and this is no answer.
    if (result.shellEnded && result.exitCode === null) await this.#checkBox();
    return result;
  }

  /** Starts the command with the session's directory and exported environment. */
  async start(name: string, command: string, signal: AbortSignal): Promise<Job> {
    const running = this.jobs.filter((job) => job.status.state === "running");
    if (running.length >= RUNNING_JOBS) {
      const ids = running.map(({ id }) => id).join(", ");
      throw new Error(`There are ${running.length} running jobs (${ids}); stop one with stop_job.`);
    }
    try {
      const { environment, cwd } = await this.#sessionFor(name).inheritance(signal);
      this.#jobCount += 1;
      const start = { id: `job-${this.#jobCount}`, session: name, command, cwd, environment };
      const job = await Job.open(this.#place, start, (byEngine) => this.#ended(byEngine));
      this.#jobs.set(job.id, job);
      // Closed in the meantime: nobody else would end this job.
      if (this.#closed) await job[Symbol.asyncDispose]();
      this.#forgetEnded();
      return job;
    } catch (error) {
      return await this.#explain(error, "start the job");
    }
  }

  async read(
    id: string,
    waitMs: number,
    since: number | undefined,
    signal: AbortSignal,
  ): Promise<JobOutput> {
    const output = await this.job(id).read(waitMs, since, signal);
    if (output.status.state === "exited" && output.status.exitCode === null) await this.#checkBox();
    return output;
  }

  /** Throws a sentence with the nearest id if there is none. */
  job(id: string): Job {
    const job = this.#jobs.get(id);
    if (job !== undefined) return job;
    const known = [...this.#jobs.keys()];
    const which = known.length === 0 ? "no job was started" : `the jobs are ${known.join(", ")}`;
    const since = this.#isResumed ? " since the runtime was restarted, which ended all others" : "";
    throw new Error(`There is no job "${id}"; ${which}${since}. list_sessions shows them.`);
  }

  session(name: string): Session {
    const session = this.#sessions.get(name);
    if (session !== undefined) return session;
    const known = [...this.#sessions.keys()];
    const which =
      known.length === 0
        ? "; none is open: run_command opens one"
        : didYouMean(name, known) || `; open are ${known.join(", ")}`;
    throw new Error(`There is no session "${name}"${which}`);
  }

  /** Throws as `session`. */
  resize(name: string, size: Size): Session {
    const session = this.session(name);
    session.resize(size);
    return session;
  }

  async interrupt(name: string): Promise<boolean> {
    return await this.session(name)
      .interrupt()
      .catch((error: unknown) => this.#explain(error, "interrupt the command"));
  }

  async close(name: string): Promise<void> {
    const session = this.session(name);
    this.#sessions.delete(name);
    await session[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const held = [...this.#sessions.values(), ...this.#jobs.values()];
    await Promise.all(held.map((each) => each[Symbol.asyncDispose]()));
  }

  #sessionFor(name: string): Session {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    if (this.#sessions.size >= SESSIONS) {
      const names = [...this.#sessions.keys()].join(", ");
      throw new Error(
        `There are ${SESSIONS} sessions (${names}); ` +
          "use one of them, or end one with close_session.",
      );
    }
    const session = new Session(name, this.#place, (byEngine) => this.#ended(byEngine));
    this.#sessions.set(name, session);
    return session;
  }

  #forgetEnded(): void {
    const ended = this.jobs.filter((job) => job.status.state === "exited");
    for (const job of ended.slice(0, Math.max(0, ended.length - KEPT_JOBS))) {
      this.#jobs.delete(job.id);
    }
  }

  /** Nobody said how a shell or a job ended. */
  #ended(byEngine: boolean): void {
    this.#hasLost ||= byEngine;
    void this.#checkBox().catch(() => {});
  }

  /**
   * If the box is gone, everything is. An engine may notice that a moment after the streams. What it
   * lost in a box that lives is a tool that others have.
   */
  async #checkBox(): Promise<void> {
    for (let look = 0; look < LOOKS; look++) {
      if (look > 0) await pause(LOOK_PAUSE_MS);
      const state = await this.#place.box
        .state({ signal: this.#place.signal })
        .catch((error: unknown) => this.#lose(messageOf(error), true));
      if (state.running) continue;
      const why = state.outOfMemory ? " after a process in it was killed for memory" : "";
      this.#lose(`the sandbox is not running any more${why}`, false);
    }
    if (this.#hasLost) this.#lose("the engine lost the streams of a shell or of a job", true);
  }

  /** A sandbox that starts no program is a full house and the agent's to mend; other faults end us. */
  async #explain(error: unknown, what: string): Promise<never> {
    if (!(error instanceof Fault)) throw error;
    if (!FULL_HOUSE.has(error.code)) this.#lose(error.message, error.code !== "engine/box-gone");
    await this.#checkBox();
    throw new Error(
      `The sandbox could not ${what}: ${error.message} If too many processes run, end some ` +
        "(stop_job, close_session) and try again.",
      { cause: error },
    );
  }

  #lose(reason: string, isLoss: boolean): never {
    this.#onLost(reason, isLoss);
    throw new TerminalLost(reason);
  }
}
