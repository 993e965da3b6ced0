import type { Readable } from "node:stream";
import type { Log } from "../../base/log.ts";
import type {
  ArchiveSource,
  Box,
  BoxProcess,
  BoxState,
  EngineCall,
  ExecOptions,
  ExecResult,
  OpenOptions,
  Sandbox,
} from "../engine.ts";
import { engineFault } from "../faults.ts";
import { type DockerApi, failed, Refusal } from "./docker-api.ts";
import type { DockerBox } from "./docker-box.ts";
import { KEPT_STATE, KEPT_WORKSPACE } from "./host-config.ts";
import type { Identity } from "./identity.ts";
import { hastened } from "./leaked.ts";
import { isGvisor } from "./oci-runtime.ts";
import { removeHandles } from "./parts.ts";

export interface SandboxParts {
  readonly api: DockerApi;
  readonly log: Log;
  readonly id: string;
  readonly identity: Identity;
  readonly main: DockerBox;
  readonly keeper: DockerBox | undefined;
  readonly outlet: DockerBox | undefined;
  /** Told once, when it is not held any more: whether it is gone. */
  readonly release: (isGone: boolean) => void;
  readonly hasState: boolean;
  readonly made: { readonly containers: readonly string[]; readonly volumes: readonly string[] };
}

/** A main container, its workspace, and perhaps state and a keeper with a scratch volume. */
export class DockerSandbox implements Sandbox {
  readonly id: string;
  readonly identity: Identity;
  readonly keeper: Box | undefined;
  readonly outlet: Box | undefined;
  readonly #parts: SandboxParts;
  #removed: Promise<void> | undefined;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.identity = parts.identity;
    this.keeper = parts.keeper;
    this.outlet = parts.outlet;
  }

  async exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
    return await this.#parts.main.exec(argv, options);
  }

  async open(argv: readonly string[], options: OpenOptions): Promise<BoxProcess> {
    return await this.#parts.main.open(argv, options);
  }

  async putArchive(tar: ArchiveSource, path: string, options?: EngineCall): Promise<void> {
    await this.#parts.main.putArchive(tar, path, options);
  }

  async getArchive(path: string, options?: EngineCall): Promise<Readable> {
    return await this.#parts.main.getArchive(path, options);
  }

  async state(options?: EngineCall): Promise<BoxState> {
    return await this.#parts.main.state(options);
  }

  async stop(options: EngineCall = {}): Promise<BoxState> {
    const { api, main } = this.#parts;
    main.hurry();
    const { runtime, container } = main.parts;
    const wasRunning = await hastened(api, runtime, [container], async () => {
      // Asked first: a box that is ended from the host meanwhile looks as if somebody else had.
      const { running } = isGvisor(runtime) ? await main.state(options) : { running: false };
      const was = (await this.#kill(options)) || running;
      await this.#whenStopped(options);
      return was;
    });
    const after = await main.state(options);
    if (after.running) {
      throw engineFault("failed", `${main.parts.name} still runs after it was killed`);
    }
    return wasRunning ? { ...after, running: true, exitCode: null } : after;
  }

  async readWorkspace(options: EngineCall = {}): Promise<Readable> {
    return await this.#readKept("workspace", KEPT_WORKSPACE, options);
  }

  async readState(options: EngineCall = {}): Promise<Readable> {
    const { hasState, id } = this.#parts;
    if (!hasState) throw engineFault("no-state", `sandbox ${id} was made without state`);
    return await this.#readKept("state", KEPT_STATE, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#removed ??= this.#remove();
    await this.#removed;
  }

  async #readKept(what: string, path: string, { signal }: EngineCall): Promise<Readable> {
    const { keeper, id } = this.#parts;
    if (keeper === undefined) {
      throw engineFault("no-keeper", `sandbox ${id} has no keeper to read its ${what} through`);
    }
    return await keeper.getKept(`${path}/.`, signal);
  }

  /** Whether there was something to kill, as far as we know. */
  async #kill({ signal }: EngineCall): Promise<boolean> {
    const { api, main } = this.#parts;
    let wasKilled = false;
    const onAgain = () => {
      wasKilled = true;
    };
    const what = `kill ${main.parts.name}`;
    const path = `/containers/${main.parts.container}/kill`;
    try {
      const query = { signal: "KILL" };
      await api.json({ what, method: "POST", path, query, signal, again: "failed", onAgain });
      return true;
    } catch (error) {
      if (error instanceof Refusal && [404, 409].includes(error.status)) return wasKilled;
      throw failed(error);
    }
  }

  async #whenStopped({ signal }: EngineCall): Promise<void> {
    const { api, main } = this.#parts;
    const what = `wait for the end of ${main.parts.name}`;
    const path = `/containers/${main.parts.container}/wait`;
    const query = { condition: "not-running" };
    try {
      await api.json({ what, method: "POST", path, query, signal, again: "failed" });
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return;
      throw failed(error);
    }
  }

  async #remove(): Promise<void> {
    const { api, log, id, made, main, keeper, outlet, release } = this.#parts;
    for (const box of [main, keeper, outlet]) box?.hurry();
    try {
      await hastened(api, main.parts.runtime, made.containers, () =>
        removeHandles(api, made.containers, made.volumes),
      );
      release(true);
    } catch (error) {
      release(false);
      log.warn({ err: error, sandbox: id }, "a sandbox could not be removed; it is left to reap");
    }
  }
}
