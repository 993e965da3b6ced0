import { readFileSync } from "node:fs";

/**
 * Names this very process, so that another one can tell later whether it still lives: boot id,
 * pid and start time, since a pid alone is handed out again. On systems without /proc the pid
 * stands alone.
 */
export function processIdentity(pid = process.pid): string {
  return `${bootId()}.${pid}.${startTime(pid) ?? 0}`;
}

/** The pid in an identity, for messages. */
export function pidOf(identity: string): number {
  return Number(identity.split(".")[1]);
}

/** Whether the process that gave itself this identity still runs on this machine since this boot. */
export function isAlive(identity: string): boolean {
  const [boot, pidText, started] = identity.split(".");
  const pid = Number(pidText);
  if (boot !== bootId() || !Number.isSafeInteger(pid) || pid <= 0) return false;
  const now = startTime(pid);
  return now === undefined ? respondsToSignals(pid) && started === "0" : String(now) === started;
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim().replaceAll("-", "");
  } catch {
    return "noboot";
  }
}

/** Field 22 of /proc/PID/stat; the second field may hold spaces and brackets, so count from its end. */
function startTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

function respondsToSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
