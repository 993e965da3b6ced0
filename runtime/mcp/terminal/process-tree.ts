import { SKIP_SIGNAL } from "./driver.ts";
import type { Place } from "./framed-process.ts";

/** The processes of one command: what descends from a shell and began with that command. */
export interface ProcessTree {
  /** The shell's pid in the box; it is spared. */
  readonly root: number;
  /** Seconds since boot; a child of the shell that began before belongs to an earlier command. */
  readonly since: number;
  /** The last background process of an earlier command, in case it began in the same moment. */
  readonly except: number;
  /** Tell the shell as well to skip the rest of its command. */
  readonly skip: boolean;
}

const TIMEOUT_MS = 10_000;

/**
 * Signals the processes of one command, those that left its process group included. "KILL" first
 * stops them all, so that none can fork away. Resolves also if some could not be reached; rejects
 * as `Box.exec`.
 */
export async function signalTree(
  place: Place,
  tree: ProcessTree,
  signal: "INT" | "TERM" | "KILL",
): Promise<void> {
  const ticks = Math.floor(tree.since * 100);
  const numbers = [tree.root, ticks, tree.except, tree.skip ? SKIP_SIGNAL : 0].map(String);
  const argv = ["/bin/bash", "--noprofile", "--norc", "-c", SCRIPT, "bash", ...numbers, signal];
  await place.box.exec(argv, {
    user: place.user,
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: 4_096,
    signal: place.signal,
  });
}

/**
 * Builtins and /proc only, so it needs neither PATH nor a program of the image. Field 4 of
 * /proc/PID/stat is the parent, field 22 the start in ticks; the name in field 2 may hold anything.
 */
const SCRIPT = `
root=$1 since=$2 except=$3 skip=$4 signal=$5
declare -A parent begun found frozen
scan() {
  local file stat pid
  parent=() begun=()
  for file in /proc/[0-9]*/stat; do
    stat=
    { IFS= read -r -d '' stat <"$file"; } 2>/dev/null
    [[ $stat ]] || continue
    pid=\${file//[!0-9]/}
    set -- \${stat##*) }
    parent[$pid]=$2 begun[$pid]=\${20}
  done
}
collect() {
  local pid up grown=1
  found=()
  while ((grown)); do
    grown=0
    for pid in "\${!parent[@]}"; do
      [[ \${found[$pid]-} ]] && continue
      up=\${parent[$pid]}
      if ((up == root)); then
        ((begun[$pid] >= since && pid != except)) || continue
      elif [[ ! \${found[$up]-} ]]; then
        continue
      fi
      found[$pid]=1 grown=1
    done
  done
}
((skip)) && kill -"$skip" "$root"
for round in 1 2 3 4 5 6 7 8; do
  scan
  collect
  new=0
  [[ $signal == KILL ]] || break
  for pid in "\${!found[@]}"; do
    [[ \${frozen[$pid]-} ]] && continue
    kill -STOP "$pid"
    frozen[$pid]=1 new=1
  done
  ((new)) || break
done
for pid in "\${!found[@]}"; do kill -"$signal" "$pid"; done
`;
