import { secret } from "../../base/id.ts";

/** Of our images; images/confine/confine.c. */
const CONFINE = "/usr/lib/cloche/confine";
const SUBREAPER = '[ -x /sbin/docker-init ] && exec /sbin/docker-init -s -- "$@"\n';

/**
 * Every program is started through this. It sets what Docker's exec cannot (the umask), reports
 * that the program is about to run, and only then becomes it. It reports on both outputs, since either
 * could be flooded by the program before Docker passes on a byte of the other. The report begins
 * with a nonce which nothing inside has seen before, so no program can speak in the engine's name:
 * an exec whose first bytes are not the report has failed to start, whatever it prints.
 *
 * Docker's own init is put in between as a subreaper: whatever the program leaves behind stays
 * a descendant of it, also after setsid and double forks, so a kill finds all of it.
 * Only words built into the shell are used: the image's PATH decides nothing and nothing is forked, but
 * for a server's private folder.
 */
const SCRIPT = `umask 002
n=$1 d=$2
shift 2
`;
const START = `say() { printf '%s %s\\n' "$n" "$*"; printf '%s %s\\n' "$n" "$*" >&2; }
cd -P -- "$d" 2>/dev/null || { say no-directory; exit 126; }
case $1 in
*/*) [ -f "$1" ] && [ -x "$1" ] ;;
*) command -v -- "$1" >/dev/null ;;
esac || { say no-program; exit 127; }
unset OLDPWD
read -r s < /proc/$$/stat
say started "$$" "\${s##*) }"
`;
const BECOME = 'exec "$@"';

/** With this a program ends whose input was gone when it ended; one that ends with it itself, with 98. */
const INPUT_GONE = 99;
/** Docker notes this for a program whose connection broke, whatever it ended with; one that ends with it itself, with 125. */
export const CUT_OFF = 126;
/** Of a program that tells of loss: it did not end by itself. */
export const LOST: readonly (number | null)[] = [INPUT_GONE, CUT_OFF];

/**
 * Stays beside the program to its end and looks whether there is still somebody at the other end of
 * its input: programs end when there is nobody, and then that was not their doing.
 */
const TELL_LOSS = `set -- /bin/sh -c '"$@"; s=$?
case $s in ${INPUT_GONE} | ${CUT_OFF}) s=$((s - 1)) ;; esac
[ "$(dd iflag=nonblock bs=1 count=1 2>/dev/null && echo .)" = . ] && s=${INPUT_GONE}
exit $s' tell-loss "$@"
`;

/**
 * A server keeps its temporary files, and with them its sockets, where nobody else can look: a folder
 * of a name that nobody can have guessed, or, where the agent has left no room for one, its home.
 */
const PRIVATE = `umask 077
TMPDIR=/tmp/$u
/bin/mkdir "$TMPDIR" 2>/dev/null || TMPDIR=$HOME
XDG_RUNTIME_DIR=$TMPDIR
export TMPDIR XDG_RUNTIME_DIR
umask 002
`;

/**
 * Whom the kernel ends when memory runs out: the agent's programs first, servers last. Where an engine could
 * not fix a lower bound any program may set its own to 0, so a server has that from the beginning.
 */
const FIRST = scored(1000);
const LAST = scored(0);

function scored(score: number): string {
  return `{ echo ${score} > /proc/$$/oom_score_adj; } 2>/dev/null\n`;
}

export interface Launch {
  readonly argv: readonly string[];
  readonly nonce: string;
}

export interface LaunchOptions {
  readonly cwd: string;
  /** gVisor knows none: what leaves its session there lives on until its box ends. */
  readonly hasSubreapers: boolean;
  /** See `OpenOptions`. */
  readonly tellsLoss: boolean;
  /** Its temporary files are its own alone. */
  readonly isServer: boolean;
  /** The first to be ended when memory runs out. */
  readonly endsFirst: boolean;
  /** All that the program may write below, of letters, digits and "/._-". Absent: not confined. */
  readonly writes: readonly string[] | undefined;
}

/** What Docker is asked to run so that `argv` runs in `cwd`. */
export function launch(
  argv: readonly string[],
  { cwd, hasSubreapers, tellsLoss, isServer, endsFirst, writes }: LaunchOptions,
): Launch {
  const nonce = secret();
  const apart = isServer ? `u=${secret().slice(0, 22)}\n${PRIVATE}` : undefined;
  const score = endsFirst ? FIRST : isServer ? LAST : undefined;
  const confined = writes && `set -- ${CONFINE} ${writes.join(" ")} "$TMPDIR" -- "$@"\n`;
  const loss = tellsLoss ? TELL_LOSS : undefined;
  const reaper = hasSubreapers ? SUBREAPER : undefined;
  const script = [SCRIPT, apart, score, START, confined, loss, reaper, BECOME].join("");
  return { argv: ["/bin/sh", "-c", script, "launch", nonce, cwd, ...argv], nonce };
}

/** A program's root process as its own box sees it; the start time tells it from a successor. */
export interface RootProcess {
  readonly pid: number;
  readonly startTime: string;
}

export type LaunchReport = RootProcess | "no-directory" | "no-program" | "silent";

/** Reads the report line; anything else than a true one is "silent". */
export function readReport(line: string, nonce: string): LaunchReport {
  const [mark, word, pid, ...stat] = line.split(" ");
  if (mark !== nonce) return "silent";
  if (word === "no-directory" || word === "no-program") return word;
  // After the bracket the stat line goes on with its third field; the start time is its 22nd.
  return { pid: Number(pid), startTime: stat[19] ?? "" };
}
