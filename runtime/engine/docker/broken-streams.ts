import { createInterface } from "node:readline";
import { addAbortSignal } from "node:stream";
import { pause } from "../../base/deadline.ts";
import type { Log } from "../../base/log.ts";
import type { ProgramEnd } from "../engine.ts";
import { type DockerApi, Refusal } from "./docker-api.ts";
import { runHidden } from "./hidden-exec.ts";
import { CUT_OFF, type RootProcess } from "./launch.ts";
import { exitCodeOf } from "./start-exec.ts";

/** How long Docker may take to note an end, or to tell of it. */
const NOTICE_MS = 2_000;
/** How long it may take to note that a connection broke, after it has noted how the program ended. */
const SECOND_NOTE_MS = 250;

/** A program whose streams are over. */
export interface SilentProgram {
  readonly api: DockerApi;
  readonly log: Log;
  /** Docker's id of its container. */
  readonly container: string;
  /** "uid:gid" of the program. */
  readonly user: string;
  readonly execId: string;
  /** As its own box sees it. */
  readonly root: RootProcess;
  /** It had an input that nobody had ended: a program may end because that is gone. */
  readonly hadInput: boolean;
  /** Ends it, if it still runs. */
  readonly end: () => Promise<void>;
}

const LOST_BY_ENGINE: ProgramEnd = { exitCode: null, isLost: true };

/** Writes where the program would: Docker passes it on, or finds nobody to pass it on to. */
const POKE = 'for n in 1 2; do echo > "/proc/$1/fd/1"; sleep 0.1; done';

/** After the bracket of a stat line come the state and, as the 20th word, the start time. */
const IS_THERE = `read -r s < "/proc/$1/stat" || exit 1
set -- "$2" \${s##*) }
[ "$2" != Z ] && [ "\${21}" = "$1" ]`;

/**
 * How a program ended that anybody in the box may have touched, and whether Docker has lost its streams.
 * `noted` is the exit code that Docker gives, null while it says that the program runs: it is then
 * ended, since nobody hears it any more. Where Docker could not write to a connection it notes `CUT_OFF`
 * once the program has ended, and tells of its end by another code; a program that ends with `CUT_OFF`
 * by itself has it in both places. Never rejects: what cannot be found out is no loss.
 */
export async function endOf(program: SilentProgram, noted: number | null): Promise<ProgramEnd> {
  const { api, log, container, user, execId, root, hadInput } = program;
  try {
    let exitCode = noted;
    if (exitCode === null) {
      await runHidden({ api, container, user }, ["/bin/sh", "-c", POKE, "poke", String(root.pid)]);
      await program.end();
      exitCode = await exitCodeOf(api, execId, NOTICE_MS);
    }
    // A program that its lost input ends is noted with its own code first.
    if (hadInput && noted !== null && noted !== CUT_OFF) {
      await pause(SECOND_NOTE_MS);
      exitCode = await exitCodeOf(api, execId, NOTICE_MS);
    }
    if (exitCode !== CUT_OFF) return { exitCode };
    if (noted === CUT_OFF && (await runsOn(program))) {
      await program.end();
      return LOST_BY_ENGINE;
    }
    const told = (await toldCode(program)) ?? CUT_OFF;
    return Number(told) === CUT_OFF ? { exitCode } : LOST_BY_ENGINE;
  } catch (error) {
    // Something could be run in the box, and Docker knows the program no longer: it was started anew.
    if (error instanceof Refusal && error.status === 404) return LOST_BY_ENGINE;
    log.debug({ err: error }, "it is not known whether a program's streams were lost");
    return { exitCode: noted };
  }
}

/** Docker has noted an end of a program that is still there. */
async function runsOn({ api, container, user, root }: SilentProgram): Promise<boolean> {
  const argv = ["/bin/sh", "-c", IS_THERE, "is-there", String(root.pid), root.startTime];
  return (await runHidden({ api, container, user }, argv)).exitCode === 0;
}

/** With which code Docker told of the program's end; it keeps the newest of what it told. */
async function toldCode({ api, container, execId }: SilentProgram): Promise<string | undefined> {
  const late = AbortSignal.timeout(NOTICE_MS);
  const filters = JSON.stringify({ container: [container], event: ["exec_die"] });
  const query = { since: 1, filters };
  const what = `ask what became of programs in ${container}`;
  const events = await api.stream({ what, method: "GET", path: "/events", query, signal: late });
  try {
    for await (const line of createInterface({ input: addAbortSignal(late, events) })) {
      const { Actor } = JSON.parse(line) as DockerEvent;
      if (Actor.Attributes["execID"] === execId) return Actor.Attributes["exitCode"];
    }
    return undefined;
  } finally {
    events.destroy();
  }
}

interface DockerEvent {
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
}
