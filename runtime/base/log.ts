import { type Logger, pino } from "pino";

export type Log = Logger;

const SECRETS = ["token", "*.token", "authorization", "*.authorization", "headers.authorization"];

/** JSON lines to `path` (made if absent). Never a token: the usual places are redacted. */
export function fileLog(path: string, level: string): Log {
  const destination = pino.destination({ dest: path, mkdir: true, sync: false });
  return pino({ level, redact: SECRETS, base: { pid: process.pid } }, destination);
}

/** For people at a terminal: one coloured line an event, on stderr. */
export function terminalLog(level: string): Log {
  const transport = { target: "pino-pretty", options: { destination: 2, ignore: "pid,hostname" } };
  return pino({ level, redact: SECRETS, transport });
}

export const silentLog: Log = pino({ level: "silent" });
