import { type Command, InvalidArgumentError } from "commander";
import { isEveryAddress, unbracketed } from "../../api/reach.ts";
import type { Recovered } from "../../service/service.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { onPress } from "../presses.ts";
import { add, ROOT } from "../repeated.ts";
import { openServing, type ServeOptions } from "../serving.ts";

const HELP = `
Examples:
  $ ./cloche.mjs serve
  $ ./cloche.mjs serve --host 0.0.0.0 --keys /etc/cloche/keys --allow-host cloche.example
  $ curl -s localhost:7317/v1/rollouts -H 'content-type: application/json' \\
      -H 'prefer: wait=60' -d '{"task": "library/catalogue-update"}'

The first SIGTERM, SIGHUP or Ctrl-C drains: nothing new is accepted, rollouts under way get their time, then
they are captured and graded as they stand. A second one removes their sandboxes at once.

Keys: one a line in the file of --keys, or in CLOCHE_KEYS: <id> <sha256> [rate=10] [burst=20]
[open=50] [may=grade:foreign]. Without keys everybody on this machine may call, and nobody else can.

A bundle sent to POST /v1/grade that the service has not made is graded only if the key of --trust-key
(or --signing-key) has signed it, or the caller's key has may=grade:foreign; in an image of the
service's own, and with at most what --foreign-limit says (memoryBytes, processes, cpus, …).

Before it serves it makes a sandbox and probes it. What lets through more than its profile allows is
named and not served (see doctor --security); --accept, with the property's name, serves all the same.

Exit codes: 0 drained, 2 could not start, 130 released at once by a second signal.`;

interface Options extends ServeOptions {
  readonly grace: number;
}

export function addServe(program: Command, context: Context): void {
  program
    .command("serve")
    .description("serve rollouts over HTTP until it is told to stop")
    .option(
      "--host <address>",
      "where to listen; beyond this machine only with keys",
      unbracketed,
      "127.0.0.1",
    )
    .option("--port <n>", "0: any free one", whole(0, 65_535), 7317)
    .option("--keys <file>", "who may call (see below)")
    .option(
      "--public-url <url>",
      "how clients reach it, if not by the name that they call it by",
      url,
    )
    .option(
      "--allow-host <name>",
      "a further name that clients call it by; may be repeated",
      add,
      [],
    )
    .option("--pool <n>", "sandboxes held ready; 0: none", whole(0, 1_000), 8)
    .option("--max-open <n>", "rollouts under way at once", whole(1, 10_000), 16)
    .option("--queue <n>", "rollouts that may wait for a place", whole(0, 1_000_000), 1_000)
    .option("--grace <seconds>", "how long a drain waits for agents", whole(0, 86_400), 600)
    .option("--json", "one JSON line {url, pid, data} on stdout once it serves")
    .option("--profile <name>", 'how tightly sandboxes are closed: "default" or "strict"')
    .option("--runtime <name>", "the OCI runtime of sandboxes, as the engine knows it")
    .option("--accept <property>", "serve although it is weaker; may be repeated", add, [])
    .option("--images-by-digest", "refuse images that are named otherwise")
    .option("--allow-egress", "tasks may reach the hosts outside that they ask for")
    .option(...ROOT)
    .option("--signing-key <file>", "sign bundles with this key (or CLOCHE_SIGNING_KEY)")
    .option("--trust-key <file>", "grade bundles that this public key signed; repeatable", add, [])
    .option("--foreign-limit <name=n>", "the most a bundle from elsewhere has; repeatable", add, [])
    .option("--verbose", "show the log as well, on stderr (its level: CLOCHE_LOG)")
    .option("--data <folder>", "where records and bundles live (or CLOCHE_DATA)")
    .addHelpText("after", HELP)
    .action(async (options: Options) => {
      process.exitCode = await serve(context, options);
    });
}

async function serve(context: Context, options: Options): Promise<number> {
  const { terminal } = context;
  const say = (text: string) => terminal.err(`${text}\n`);
  using signals = listenForSignals(say);
  await using serving = await openServing(context, options, say);
  for (const line of recoveredLines(serving.recovered)) say(line);
  const { url, dataPath } = serving;
  terminal.out(
    options.json
      ? `${JSON.stringify({ url, pid: process.pid, data: dataPath })}\n`
      : `cloche serves at ${url} (documents: ${url}/docs, data: ${dataPath})\n`,
  );
  await signals.first;
  say(`draining: rollouts under way have ${options.grace} s (a second signal removes them now)`);
  await serving.drain(options.grace * 1000, signals.second);
  say(signals.second.aborted ? "released" : "drained");
  return signals.second.aborted ? EXIT.interrupted : EXIT.graded;
}

interface Signals extends Disposable {
  readonly first: Promise<void>;
  readonly second: AbortSignal;
}

/** A third one ends the process as it stands; the next start looks after what it leaves. */
function listenForSignals(say: (text: string) => void): Signals {
  const { promise: first, resolve } = Promise.withResolvers<void>();
  const second = new AbortController();
  let count = 0;
  const handle = () => {
    count += 1;
    if (count === 1) resolve();
    else if (count === 2) second.abort(new Error("told twice to stop"));
    else {
      say("left at once; the next start removes what is left");
      process.exit(EXIT.interrupted);
    }
  };
  return { first, second: second.signal, [Symbol.dispose]: onPress(handle) };
}

function recoveredLines({ resumed, ended, removed }: Recovered): string[] {
  const lines = [
    [resumed, "rollouts go on"],
    [ended, "rollouts were ended with a record"],
    [removed, "sandboxes were removed that nobody owned"],
  ] as const;
  return lines.flatMap(([ids, what]) => (ids.length > 0 ? [`${ids.length} ${what}`] : []));
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d{1,9}$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`give a whole number from ${least} to ${most}`);
  };
}

function url(text: string): string {
  const given = URL.parse(text);
  const isWeb = given?.protocol === "http:" || given?.protocol === "https:";
  if (!isWeb || given.search !== "" || given.hash !== "" || given.username !== "") {
    throw new InvalidArgumentError('give a URL such as "https://cloche.example"');
  }
  if (!isEveryAddress(unbracketed(given.hostname))) return text.replace(/\/+$/, "");
  throw new InvalidArgumentError(
    `nobody can call ${given.hostname}: give the name that clients use`,
  );
}
