import { PassThrough, type Readable, Transform, type Writable } from "node:stream";
import { CutLines } from "./cut-lines.ts";

/** Serves one server on these streams; called when the first message for it arrives. */
export type Serve = (name: string, input: Readable, output: Writable) => Promise<unknown>;

/**
 * Several servers on one pair of streams: each line is led by the name of the server that it is
 * for or from, and a tab. What goes out waits for its reader. Lines for a name that is none of
 * `names` are said on stderr and dropped.
 */
export function serveMany(
  names: readonly string[],
  serve: Serve,
  lineBytes: number,
  { stdin, stdout, stderr } = process as Streams,
): void {
  stdout.setMaxListeners(names.length + 10);
  const inputs = new Map<string, PassThrough>();
  const inputOf = (name: string): PassThrough | undefined => {
    const known = inputs.get(name);
    if (known !== undefined || !names.includes(name)) return known;
    const [input, output] = [new PassThrough(), new PassThrough()];
    inputs.set(name, input);
    output.pipe(ledBy(name, lineBytes)).pipe(stdout, { end: false });
    serve(name, input, output).catch((error: unknown) => {
      stderr.write(`${name} could not be served: ${String(error)}\n`);
      process.exit(1);
    });
    return input;
  };
  const lines = new CutLines(lineBytes, (line) => {
    const tab = line.indexOf(0x09);
    const name = line.subarray(0, Math.max(0, tab)).toString("latin1");
    const input = inputOf(name);
    if (input === undefined) stderr.write(`a line for no server of ${names.join(", ")}\n`);
    else input.write(line.subarray(tab + 1));
  });
  stdin.on("data", (chunk: Buffer) => {
    try {
      lines.push(chunk);
    } catch (error) {
      stderr.write(`what came in is broken: ${String(error)}\n`);
      process.exit(1);
    }
  });
  stdin.on("end", () => {
    for (const input of inputs.values()) input.end();
  });
}

export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** Whole lines, each led by the name and a tab. */
function ledBy(name: string, lineBytes: number): Transform {
  const lead = Buffer.from(`${name}\t`, "latin1");
  const led = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      lines.push(chunk);
      done();
    },
  });
  const lines = new CutLines(lineBytes, (line) => led.push(Buffer.concat([lead, line])));
  return led;
}
