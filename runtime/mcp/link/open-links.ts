import { Fault, messageOf } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Box } from "../../engine/engine.ts";
import { mcpFault } from "../faults.ts";
import { type ServerSpec, type StdioServerSpec, writtenBy } from "../server-spec.ts";
import { nameOf } from "./handshake.ts";
import type { ServerLink } from "./server-link.ts";
import { sharedLinks, stdioLink } from "./stdio-link.ts";

/** Starts the servers of one box, each once, those that share a program with it. */
export class LinkOpener implements AsyncDisposable {
  /** Aborted when this is disposed. */
  readonly signal: AbortSignal;
  readonly #specs: readonly ServerSpec[];
  readonly #box: Box;
  readonly #log: Log;
  readonly #isResumed: boolean;
  readonly #over = new AbortController();
  readonly #links = new Set<ServerLink>();
  readonly #opening = new Set<Promise<unknown>>();
  readonly #programs = new Map<string, Promise<ReadonlyMap<string, ServerLink>>>();

  constructor(
    specs: readonly ServerSpec[],
    { box, log, isResumed = false }: { box: Box; log: Log; isResumed?: boolean },
  ) {
    this.signal = this.#over.signal;
    this.#specs = specs;
    this.#box = box;
    this.#log = log;
    this.#isResumed = isResumed;
  }

  /**
   * Rejects with `mcp/server-start-failed`, as `Box.open` does, or with the reason of a signal.
   * For servers that share a program, the first one's signal counts.
   */
  async open(spec: ServerSpec, signal: AbortSignal): Promise<ServerLink> {
    const opening = this.#open(spec, AbortSignal.any([signal, this.signal]));
    this.#opening.add(opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(opening);
    }
  }

  /** Ends all that was started, and all that is being started. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new Error("the servers are stopped"));
    await Promise.allSettled(this.#opening);
    await Promise.all([...this.#links].map((link) => link[Symbol.asyncDispose]()));
  }

  async #open(spec: ServerSpec, signal: AbortSignal): Promise<ServerLink> {
    if (spec.kind === "terminal") {
      const { openTerminal } = await import("../terminal/terminal-link.ts");
      // Its life is the link's: nothing of it waits on the engine before the first command.
      const { env = {} } = spec;
      const isResumed = this.#isResumed;
      const options = { user: "agent", cwd: "/workspace", env, log: this.#logOf(spec), isResumed };
      const never = new AbortController().signal;
      return this.#kept(await openTerminal(this.#box, { ...options, signal: never }));
    }
    if (spec.process === undefined) {
      const process = await this.#start([spec], spec.argv, signal);
      return this.#kept(stdioLink(process, { log: this.#logOf(spec) }));
    }
    const program = this.#programs.get(spec.process) ?? this.#startShared(spec.process, signal);
    this.#programs.set(spec.process, program);
    const link = (await program).get(spec.name);
    if (link === undefined) throw new Error(`${nameOf(spec)} is not of this box`);
    return link;
  }

  async #startShared(
    program: string,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ServerLink>> {
    const sharing = this.#specs.filter((spec) => spec.kind === "stdio" && spec.process === program);
    const [first, ...others] = sharing as StdioServerSpec[];
    if (first === undefined) throw new Error(`no server is part of "${program}"`);
    const all = [first, ...others] as const;
    const names = all.map(({ name }) => name);
    const process = await this.#start(all, [...first.argv, "--many", ...names], signal);
    const links = sharedLinks(process, names, { log: this.#log.child({ server: program }) });
    for (const link of links.values()) this.#kept(link);
    return links;
  }

  /** One program for all of these. */
  async #start(
    specs: readonly [StdioServerSpec, ...StdioServerSpec[]],
    argv: readonly string[],
    signal: AbortSignal,
  ) {
    const [spec] = specs;
    const { user, env, cwd = "/" } = spec;
    const writes = writtenBy(specs);
    try {
      const how = { user, env, cwd, writes, startsWithInput: true, tellsLoss: true, signal };
      return await this.#box.open(argv, how);
    } catch (error) {
      // The engine cannot know whose the program is; that it isn't there is the task's fault.
      if (!(error instanceof Fault) || error.code !== "engine/exec-refused") throw error;
      const message = `${nameOf(spec)} could not be started: ${messageOf(error)}`;
      throw mcpFault("server-start-failed", message, { cause: error });
    }
  }

  /** Ended with the others, whatever becomes of it. */
  #kept(link: ServerLink): ServerLink {
    this.#links.add(link);
    return link;
  }

  #logOf({ name }: ServerSpec): Log {
    return this.#log.child({ server: name });
  }
}
