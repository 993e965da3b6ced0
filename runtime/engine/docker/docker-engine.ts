import type { Log } from "../../base/log.ts";
import { Custody } from "../custody.ts";
import type {
  Engine,
  EngineCall,
  EngineReport,
  FoundSandbox,
  ProfileName,
  Sandbox,
  SandboxSpec,
} from "../engine.ts";
import { engineFault } from "../faults.ts";
import type { ImageStore } from "../image-store.ts";
import { attachSandbox } from "./attach-sandbox.ts";
import { createSandbox } from "./create-sandbox.ts";
import { DockerApi, failed } from "./docker-api.ts";
import { DockerImages } from "./docker-images.ts";
import { hostAddresses } from "./host-addresses.ts";
import type { Seal } from "./host-config.ts";
import { type DockerInfo, type DockerVersion, isolationOf } from "./isolation.ts";
import { locateDocker } from "./locate.ts";
import { findParts, removeParts } from "./parts.ts";

export interface DockerOptions {
  readonly address?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly deadlineMs: number;
  readonly patienceMs: number;
  readonly profile: ProfileName;
  readonly runtime?: string;
  readonly outletNetwork: string;
}

/** Finds Docker and makes an engine of it, without asking it anything yet. */
export async function openDocker(options: DockerOptions): Promise<Engine> {
  const address = await locateDocker(options.address, options.env);
  const seal = { profile: options.profile, runtime: options.runtime };
  const api = new DockerApi(address, options.deadlineMs, options.patienceMs);
  return new DockerEngine(api, options.log, seal, options.outletNetwork);
}

class DockerEngine implements Engine {
  readonly name = "docker";
  readonly images: ImageStore;
  readonly holdings = new Custody();
  readonly #api: DockerApi;
  readonly #log: Log;
  readonly #outletNetwork: string;
  #seal: Seal;

  constructor(api: DockerApi, log: Log, seal: Seal, outletNetwork: string) {
    this.#api = api;
    this.#log = log;
    this.#seal = seal;
    this.#outletNetwork = outletNetwork;
    this.images = new DockerImages(api);
  }

  async check({ signal }: EngineCall = {}): Promise<EngineReport> {
    // Who asks wants to know how it is now.
    const ask = { what: "ask Docker what it is", method: "GET", again: "never", signal } as const;
    try {
      const [version, info] = await Promise.all([
        this.#api.json<DockerVersion>({ ...ask, path: "/version" }),
        this.#api.json<DockerInfo>({ ...ask, path: "/info" }),
      ]);
      const { Version: number, Os: system } = version;
      const { url } = this.#api.address;
      const isolation = isolationOf(version, info, this.#seal);
      // What was answered stays true for this engine's boxes, also if Docker's default changes.
      this.#seal = { ...this.#seal, runtime: isolation.runtime };
      const architecture = architectureOf(version, url);
      const sealedBy = [
        ...(isolation.runtime === "runc" ? [] : [isolation.runtime]),
        ...(isolation.profile === "default" ? [] : [`profile ${isolation.profile}`]),
      ];
      return {
        summary: [`docker ${plain(number)}`, `${system}/${architecture}`, ...sealedBy].join(", "),
        ...{ version: number, architecture, address: url },
        cpus: info.NCPU,
        memoryBytes: info.MemTotal,
        isolation,
      };
    } catch (error) {
      throw failed(error);
    }
  }

  async create(spec: SandboxSpec, options: EngineCall = {}): Promise<Sandbox> {
    const sealed = { ...spec, seal: this.#seal, outletNetwork: this.#outletNetwork };
    return await createSandbox({ api: this.#api, log: this.#log }, sealed, this.holdings, options);
  }

  async find(owner: string, options?: EngineCall): Promise<readonly FoundSandbox[]> {
    const found = await findParts(this.#api, owner, options);
    this.holdings.confirm(owner, new Set(found.map(({ id }) => id)));
    return found;
  }

  async attach(found: FoundSandbox, options: EngineCall = {}): Promise<Sandbox | undefined> {
    const parts = { api: this.#api, log: this.#log };
    return await attachSandbox(parts, found, this.holdings, options);
  }

  async remove(found: FoundSandbox, options?: EngineCall): Promise<void> {
    await removeParts(this.#api, found.labels.owner, found.id, options);
    this.holdings.confirmGone(found.id);
  }

  async hostAddresses(options: EngineCall = {}): Promise<readonly string[]> {
    return await hostAddresses(this.#api, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#api.close();
  }
}

function plain(version: string): string {
  return version.split("+")[0] ?? version;
}

function architectureOf({ Os, Arch }: DockerVersion, url: string): "amd64" | "arm64" {
  if (Os === "linux" && (Arch === "amd64" || Arch === "arm64")) return Arch;
  const message = `Docker at ${url} runs ${Os}/${Arch}; sandboxes need linux/amd64 or linux/arm64`;
  throw engineFault("spec-refused", message);
}
