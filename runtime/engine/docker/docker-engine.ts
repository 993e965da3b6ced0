import type { Log } from "../../base/log.ts";
import type {
  Engine,
  EngineCall,
  EngineReport,
  FoundSandbox,
  Sandbox,
  SandboxSpec,
} from "../engine.ts";
import { engineFault } from "../faults.ts";
import type { ImageStore } from "../image-store.ts";
import { attachSandbox } from "./attach-sandbox.ts";
import { createSandbox } from "./create-sandbox.ts";
import { DockerApi, failed } from "./docker-api.ts";
import { DockerImages } from "./docker-images.ts";
import { locateDocker } from "./locate.ts";
import { findParts, removeParts } from "./parts.ts";

export interface DockerOptions {
  readonly address?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly deadlineMs: number;
}

/** Finds Docker and makes an engine of it, without asking it anything yet. */
export async function openDocker(options: DockerOptions): Promise<Engine> {
  const address = await locateDocker(options.address, options.env);
  return new DockerEngine(new DockerApi(address, options.deadlineMs), options.log);
}

class DockerEngine implements Engine {
  readonly name = "docker";
  readonly images: ImageStore;
  readonly #api: DockerApi;
  readonly #log: Log;

  constructor(api: DockerApi, log: Log) {
    this.#api = api;
    this.#log = log;
    this.images = new DockerImages(api);
  }

  async check({ signal }: EngineCall = {}): Promise<EngineReport> {
    const ask = { what: "ask Docker what it is", method: "GET", signal } as const;
    try {
      const [version, info] = await Promise.all([
        this.#api.json<Version>({ ...ask, path: "/version" }),
        this.#api.json<Info>({ ...ask, path: "/info" }),
      ]);
      const { Version: number, Os: system } = version;
      const { url } = this.#api.address;
      const architecture = architectureOf(version, url);
      return {
        summary: `docker ${plain(number)}, ${system}/${architecture}`,
        ...{ version: number, architecture, address: url },
        cpus: info.NCPU,
        memoryBytes: info.MemTotal,
      };
    } catch (error) {
      throw failed(error);
    }
  }

  async create(spec: SandboxSpec, options: EngineCall = {}): Promise<Sandbox> {
    return await createSandbox(this.#api, this.#log, spec, options);
  }

  async find(owner: string, options?: EngineCall): Promise<readonly FoundSandbox[]> {
    return await findParts(this.#api, owner, options);
  }

  async attach(found: FoundSandbox, options: EngineCall = {}): Promise<Sandbox | undefined> {
    return await attachSandbox(this.#api, this.#log, found, options);
  }

  async remove(found: FoundSandbox, options?: EngineCall): Promise<void> {
    await removeParts(this.#api, found.labels.owner, found.id, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#api.close();
  }
}

interface Version {
  readonly Version: string;
  readonly Os: string;
  readonly Arch: string;
}

interface Info {
  readonly NCPU: number;
  readonly MemTotal: number;
}

function plain(version: string): string {
  return version.split("+")[0] ?? version;
}

function architectureOf({ Os, Arch }: Version, url: string): "amd64" | "arm64" {
  if (Os === "linux" && (Arch === "amd64" || Arch === "arm64")) return Arch;
  const message = `Docker at ${url} runs ${Os}/${Arch}; sandboxes need linux/amd64 or linux/arm64`;
  throw engineFault("spec-refused", message);
}
