/**
 * One press of Ctrl-C reaches this process twice where an older Node started it (cloche.mjs): from
 * the terminal, as one of its group, and handed on. Nobody presses twice as fast as this.
 */
const ONE_PRESS_MS = 200;

/**
 * Calls `handle` for each SIGINT and SIGTERM, the same press once, and when whoever started this
 * process with a channel has died. Returns what ends it.
 */
export function onPress(handle: () => void): () => void {
  let pressedMs = Number.NEGATIVE_INFINITY;
  const once = () => {
    if (performance.now() - pressedMs < ONE_PRESS_MS) return;
    pressedMs = performance.now();
    handle();
  };
  const names = ["SIGINT", "SIGTERM", "disconnect"] as const;
  for (const name of names) process.on(name as NodeJS.Signals, once);
  return () => {
    for (const name of names) process.off(name as NodeJS.Signals, once);
  };
}
