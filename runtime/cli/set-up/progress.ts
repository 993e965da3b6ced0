import { duration, plain, type Terminal } from "../terminal.ts";

/** Tells a person what set-up does: what comes before it is done, how long it took after. */
export interface Progress {
  /** Runs one step under a name; its outcome is a line of its own, also when it fails. */
  step<T>(name: string, work: (step: ProgressStep) => Promise<Finished<T>>): Promise<T>;
}

export interface ProgressStep {
  /** What is about to happen, and how long it may take. Always shown. */
  intent(text: string): void;
  /** The newest line of some program. Shown only to a person who watches. */
  detail(text: string): void;
}

export interface Finished<T> {
  readonly value: T;
  /** What is true now: "docker 20.10.24, linux/amd64". */
  readonly summary: string;
}

const NAME_WIDTH = 13;
const REDRAW_MS = 200;
const CLEAR_LINE = "\r\u001b[K";

/** For commands that need no telling. */
export const silentProgress: Progress = {
  step: async (_name, work) => (await work({ intent: () => {}, detail: () => {} })).value,
};

/** One line a step and one an intent; on a live terminal a last line that moves. */
export function terminalProgress(terminal: Terminal): Progress {
  return {
    step: async (name, work) => {
      const started = performance.now();
      const line = (text: string) => terminal.err(`${name.padEnd(NAME_WIDTH)} ${text}\n`);
      const took = () => terminal.paint.dim(`(${duration(performance.now() - started)})`);
      const moving = terminal.live ? movingLine(name, terminal) : undefined;
      try {
        const { value, summary } = await work({
          intent: (text) => {
            moving?.clear();
            line(terminal.paint.cyan(text));
          },
          detail: (text) => moving?.show(text),
        });
        moving?.stop();
        line(`${summary} ${took()}`);
        return value;
      } catch (error) {
        moving?.stop();
        line(`${terminal.paint.red("failed")} ${took()}`);
        throw error;
      }
    },
  };
}

/** A line that is drawn over itself, with the seconds gone by. */
function movingLine(name: string, { err }: Terminal) {
  const started = performance.now();
  let detail = "";
  const draw = () => {
    const seconds = `${((performance.now() - started) / 1000).toFixed(0).padStart(3)} s`;
    const room = Math.max(20, (process.stderr.columns || 80) - NAME_WIDTH - 10);
    err(`${CLEAR_LINE}${name.padEnd(NAME_WIDTH)} ${seconds}  ${plain(detail, room)}`);
  };
  const timer = setInterval(draw, REDRAW_MS);
  const clear = () => err(CLEAR_LINE);
  return {
    show: (text: string) => {
      detail = text;
    },
    clear,
    stop: () => {
      clearInterval(timer);
      clear();
    },
  };
}
