import { hintFor } from "./hints.ts";
import type { Job, JobOutput, JobStatus } from "./job.ts";
import type { CommandResult, Session } from "./session.ts";

/** What a tool answers: the same said to a reader and to a program. Never a time or a pid. */
export interface Answer {
  readonly text: string;
  readonly structured: Record<string, unknown>;
}

/** The same answer, with a line before it that says what the agent could not know. */
export function withNews(news: string, { text, structured }: Answer): Answer {
  return { text: `${news}${text}`, structured };
}

export function commandAnswer(
  session: string,
  command: string,
  timeoutMs: number,
  result: CommandResult,
): Answer {
  const { output, late, exitCode, cwd } = result;
  const before = late === undefined ? "" : `${LATE_BEGIN}\n${line(late.text)}[this command]\n`;
  const hint = hintFor(command, { failed: exitCode !== 0 });
  const after = hint === undefined ? "" : `\n[hint: ${hint}]`;
  return {
    text: `${before}${line(output.text)}[${endingLine(result, timeoutMs)}]${after}`,
    structured: {
      session,
      exitCode,
      cwd,
      output: output.text,
      truncated: output.droppedBytes === 0 ? null : { droppedBytes: output.droppedBytes },
      timedOut: result.ending === "timed_out",
      interrupted: result.ending === "interrupted",
      shellEnded: result.shellEnded,
      ...(late === undefined ? {} : { lateOutput: late.text }),
    },
  };
}

const LATE_BEGIN = "[written by background processes since the last command]";

export function startedAnswer(job: Job, cwd: string): Answer {
  return {
    text:
      `Started ${job.id} in the background, in ${shown(cwd)}. ` +
      `read_output {"job": "${job.id}"} shows what it writes, stop_job ends it.`,
    structured: {
      session: job.session,
      exitCode: null,
      cwd,
      output: "",
      truncated: null,
      timedOut: false,
      interrupted: false,
      shellEnded: false,
      job: job.id,
    },
  };
}

export function jobAnswer(job: Job, output: JobOutput): Answer {
  const text = output.text === "" ? "(nothing new)" : output.text;
  return {
    text: `${line(text)}[${job.id} ${statusText(output.status)}, next since ${output.next}]`,
    structured: {
      ...jobFacts(job, output.status),
      output: output.text,
      next: output.next,
      truncated: output.droppedBytes === 0 ? null : { droppedBytes: output.droppedBytes },
    },
  };
}

export function stoppedAnswer(job: Job, wasRunning: boolean): Answer {
  const what = wasRunning ? "was stopped" : "had already ended";
  return { text: `${job.id} ${what}: ${statusText(job.status)}.`, structured: jobFacts(job) };
}

export function listAnswer(sessions: readonly Session[], jobs: readonly Job[]): Answer {
  const sessionLines = sessions.map(
    ({ name, cwd, pending, size }) =>
      `${name}: ${pending > 0 ? "busy" : "idle"}, ${size.columns}x${size.lines}, cwd ${shown(cwd)}`,
  );
  const jobLines = jobs.map(
    (job) => `${job.id}: ${statusText(job.status)}, session ${job.session}: ${brief(job.command)}`,
  );
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0
      ? `${title}: none`
      : `${title}:\n${lines.map((each) => `  ${each}`).join("\n")}`;
  return {
    text: `${list("Sessions", sessionLines)}\n${list("Jobs", jobLines)}`,
    structured: {
      sessions: sessions.map(({ name, cwd, pending, size }) => ({
        session: name,
        cwd,
        busy: pending > 0,
        ...size,
      })),
      jobs: jobs.map((job) => jobFacts(job)),
    },
  };
}

export function resizedAnswer({ name, size, pending }: Session): Answer {
  const seen = pending > 0 ? "the command that runs keeps the old size, the next sees it" : "";
  return {
    text:
      `Session "${name}" is ${size.columns} columns by ${size.lines} lines` +
      (seen === "" ? "." : `; ${seen}.`),
    structured: { session: name, ...size },
  };
}

/** Of a status read together with output: it must not be newer than the output. */
function jobFacts(job: Job, status = job.status): Record<string, unknown> {
  const { id, session, command } = job;
  const exitCode = status.state === "exited" ? status.exitCode : null;
  return { job: id, session, command, state: status.state, exitCode };
}

function endingLine(result: CommandResult, timeoutMs: number): string {
  const { ending, exitCode, shellEnded } = result;
  const cwd = `cwd ${shown(result.cwd)}${result.cwdGone ? " (no longer there)" : ""}`;
  const fresh = `the next command starts a fresh one, ${cwd}; ${LOST}`;
  if (ending === "timed_out") {
    const killed = `timed out after ${timeoutMs} ms and was killed`;
    if (shellEnded) return `${killed}, the shell with it: ${fresh}`;
    return `${killed}; the session goes on, ${cwd}; for long work use background: true`;
  }
  const code = exitCode === null ? "killed" : `exit code ${exitCode}`;
  if (shellEnded) return `${code}; this ended the shell: ${fresh}`;
  return `${ending === "interrupted" ? "interrupted, " : ""}${code}, ${cwd}`;
}

const LOST = "variables, functions and background processes are lost";

function statusText(status: JobStatus): string {
  if (status.state === "running") return "is running";
  return status.exitCode === null ? "was killed" : `ended with exit code ${status.exitCode}`;
}

function line(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** A path as it stands, or quoted if it could be taken for something else. */
function shown(path: string): string {
  return /^[\p{L}\p{N} ._/@%+=:,~-]+$/u.test(path) ? path : JSON.stringify(path);
}

function brief(command: string): string {
  const first = command.split("\n", 1)[0] ?? "";
  return first.length < command.length || first.length > 80 ? `${first.slice(0, 80)} …` : first;
}
