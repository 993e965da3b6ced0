import { onLauncherGone } from "./launchers.ts";

/**
 * One press of Ctrl-C reaches this process twice where an older Node started it (cloche.mjs): from
 * the terminal, as one of its group, and handed on. Nobody presses twice as fast as this.
 */
const ONE_PRESS_MS = 200;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Calls `handle` for each SIGINT, SIGTERM and SIGHUP, the same press once. When whoever started this
 * process has died (cloche.mjs on an older Node, or npm and its shell) and nobody has pressed, it
 * counts as one press: what killed them was meant for us. Returns what ends it.
 */
export function onPress(handle: () => void): () => void {
  let pressedMs = Number.NEGATIVE_INFINITY;
  const once = () => {
    if (performance.now() - pressedMs < ONE_PRESS_MS) return;
    pressedMs = performance.now();
    handle();
  };
  const gone = () => {
    if (pressedMs === Number.NEGATIVE_INFINITY) once();
  };
  for (const name of SIGNALS) process.on(name, once);
  process.on("disconnect", gone);
  const leave = onLauncherGone(process.env, gone);
  return () => {
    for (const name of SIGNALS) process.off(name, once);
    process.off("disconnect", gone);
    leave();
  };
}
