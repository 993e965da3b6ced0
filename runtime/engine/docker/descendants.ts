import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../base/fault.ts";
import { engineFault } from "../faults.ts";
import type { DockerApi } from "./docker-api.ts";
import { runHidden } from "./hidden-exec.ts";
import type { RootProcess } from "./launch.ts";

/**
 * Ends a program and everything that descends from it, from inside and as its own user, since
 * nobody else may signal it. Forks nothing, so it works where the box has no process left to give.
 * A round reads the whole table, takes what hangs under the root or belongs to its session, and
 * kills single processes and whole groups (a group dies at one blow, also if it forks meanwhile).
 * The root is Docker's init as subreaper. It is stopped first and goes last: until then no orphan
 * slips away to the box's init, and none of those that died vanishes from the table. A round that
 * sees nothing alive may have missed a program that left a child while the table was read; that
 * one is a new row of the next round, so the tree is over when two rounds saw the same dead.
 * Exit 1: still something there after the last round.
 */
const END_TREE = `root=$1 born=$2 round=0 before=
while [ $round -lt 25 ]; do
round=$((round + 1)) table=
for p in /proc/[0-9]*; do
s=
{ while read -r l || [ -n "$l" ]; do s="$s $l"; done < "$p/stat"; } 2>/dev/null
set -- \${s##*) }
[ $# -ge 20 ] || continue
p=\${p#/proc/}
[ "$p" = $$ ] && continue
[ "$p" = "$root" ] && [ "\${20}" != "$born" ] && continue
alive=y
case $1 in Z|X) [ "\${18}" -gt 1 ] || alive=n ;; esac
table="$table $p:$2:$3:$4:$alive"
done
case $table in *" $root:"*) [ $round = 1 ] && kill -STOP "$root" 2>/dev/null ;; esac
set=" $root " grown=y
while [ $grown = y ]; do
grown=n
for row in $table; do
p=\${row%%:*} r=\${row#*:}
parent=\${r%%:*} r=\${r#*:}
r=\${r#*:}
session=\${r%%:*}
case $set in *" $p "*) continue ;; esac
case $set in
*" $parent "*) ;;
*) [ "$session" = "$root" ] || continue ;;
esac
set="$set$p " grown=y
done
done
live= here=n
for row in $table; do
p=\${row%%:*} r=\${row#*:}
r=\${r#*:}
group=\${r%%:*}
case $set in *" $p "*) ;; *) continue ;; esac
[ "$p" = "$root" ] && { here=y; continue; }
[ "\${row##*:}" = y ] && live=y
kill -9 "$p" 2>/dev/null
case $set in *" $group "*) [ "$group" = "$root" ] || kill -9 "-$group" 2>/dev/null ;; esac
done
same=n
[ "$set" = "$before" ] && same=y
before=$set
[ -n "$live" ] && continue
[ $here = n ] && exit 0
[ $same = y ] && kill -9 "$root" 2>/dev/null
done
exit 1`;

/** The last resort: every process of this user except the one that asks. */
const END_USER = "kill -9 -1 2>/dev/null; exit 0";

const ATTEMPTS = 3;

/**
 * Ends all processes of one user in a box, except its init's. One blow suffices, since it counts
 * as struck only if who struck it lived to say so. Rejects as `endTree`; harmless if the box is gone.
 */
export async function endUser(where: Tree): Promise<void> {
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if ((await runHidden(where, ["/bin/sh", "-c", END_USER])).exitCode === 0) return;
      await sleep(50);
    }
  } catch (error) {
    if (error instanceof Fault && error.code === "engine/box-gone") return;
    throw error;
  }
  throw engineFault("failed", `programs of ${where.user} in ${where.container} could not be ended`);
}

export interface Tree {
  readonly api: DockerApi;
  readonly container: string;
  /** "uid:gid" of the program. */
  readonly user: string;
}

/**
 * Ends the tree under `root`. If it outruns that (forking faster than it is read, or killing who
 * comes to kill it), all processes of its user in the box are ended: no program of one user can
 * hurt another's this way. Rejects with `engine/no-answer` and its like, or `engine/failed` if
 * even that did not succeed; harmless if the box is gone.
 */
export async function endTree(tree: Tree, root: RootProcess): Promise<void> {
  const narrow = ["/bin/sh", "-c", END_TREE, "end", String(root.pid), root.startTime];
  const wide = ["/bin/sh", "-c", END_USER];
  try {
    if ((await runHidden(tree, narrow)).exitCode === 0) return;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await runHidden(tree, wide);
      if ((await runHidden(tree, narrow)).exitCode === 0) return;
      await sleep(50);
    }
  } catch (error) {
    if (error instanceof Fault && error.code === "engine/box-gone") return;
    throw error;
  }
  const message = `process ${root.pid} in ${tree.container} and its descendants could not be ended`;
  throw engineFault("failed", message);
}
