import { type Logger, multistream, pino } from "pino";
import { PinoPretty } from "pino-pretty";

export type Log = Logger;

/** Never a token: where one could stand is redacted. */
const SECRETS = ["token", "*.token", "authorization", "*.authorization", "headers.authorization"];

export interface LogOptions {
  readonly level: string;
  /** Also one readable line an event on stderr, for a person who watches. */
  readonly onTerminal: boolean;
}

/** JSON lines, appended to `path`, whose folder is made if absent. */
export function openLog(path: string, { level, onTerminal }: LogOptions): Log {
  const file = pino.destination({ dest: path, mkdir: true, sync: true });
  const human = PinoPretty({
    destination: 2,
    sync: true,
    singleLine: true,
    ignore: "pid,hostname",
  });
  const streams = [
    { level: "trace", stream: file },
    ...(onTerminal ? [{ level: "trace", stream: human }] : []),
  ];
  return pino({ level, redact: SECRETS, base: { pid: process.pid } }, multistream(streams));
}

export const silentLog: Log = pino({ level: "silent" });
