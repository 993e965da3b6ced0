import type { Readable } from "node:stream";
import type { EngineCall } from "../engine.ts";
import { engineFault } from "../faults.ts";
import type { BuildOptions, ImageInfo, ImageStore } from "../image-store.ts";
import { sendAndFollow } from "./build-progress.ts";
import { type DockerApi, failed, Refusal } from "./docker-api.ts";

/** Images in Docker's own store. */
export class DockerImages implements ImageStore {
  readonly canBuild = true;
  readonly #api: DockerApi;

  constructor(api: DockerApi) {
    this.#api = api;
  }

  async find(reference: string, { signal }: EngineCall = {}): Promise<ImageInfo | undefined> {
    const what = `look for image ${reference}`;
    try {
      const path = `/images/${reference}/json`;
      return infoOf(reference, await this.#api.json<Image>({ what, method: "GET", path, signal }));
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return undefined;
      throw failed(error);
    }
  }

  async list({ signal }: EngineCall = {}): Promise<readonly ImageInfo[]> {
    const query = { filters: JSON.stringify({ label: ["cloche.image"] }) };
    const ask = { what: "list images", method: "GET", path: "/images/json", query } as const;
    try {
      const images = await this.#api.json<ListedImage[]>({ ...ask, signal });
      return images
        .flatMap((image) =>
          (image.RepoTags ?? [])
            .filter((tag) => tag.startsWith("cloche/"))
            .map((tag) => listedInfo(tag, image)),
        )
        .sort((a, b) => b.created.getTime() - a.created.getTime());
    } catch (error) {
      throw failed(error);
    }
  }

  async importRootfs(
    tar: Readable,
    reference: string,
    options: BuildOptions = {},
  ): Promise<ImageInfo> {
    const [repo, tag] = splitReference(reference);
    const changes = Object.entries(options.labels ?? {})
      .map(([key, value]) => `LABEL ${quoted(key)}=${quoted(value)}`)
      .join("\n");
    const query = { fromSrc: "-", repo, tag, ...(changes ? { changes } : {}) };
    const request = { what: `import ${reference}`, path: "/images/create", query };
    await sendAndFollow(this.#api, request, tar, options);
    return await this.#mustFind(reference, options);
  }

  async build(
    context: Readable,
    reference: string,
    options: BuildOptions = {},
  ): Promise<ImageInfo> {
    const query = {
      t: reference,
      version: 1,
      rm: true,
      forcerm: true,
      // Only for the build's own package downloads: some hosts have no bridge.
      networkmode: "host",
      labels: JSON.stringify(options.labels ?? {}),
      buildargs: JSON.stringify(options.buildArgs ?? {}),
    };
    const request = { what: `build ${reference}`, path: "/build", query };
    await sendAndFollow(this.#api, request, context, options);
    return await this.#mustFind(reference, options);
  }

  async remove(reference: string, { signal }: EngineCall = {}): Promise<void> {
    const what = `remove image ${reference}`;
    try {
      const path = `/images/${reference}`;
      await this.#api.json({ what, method: "DELETE", path, query: { force: false }, signal });
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return;
      if (error instanceof Refusal && error.status === 409) {
        throw engineFault("image-in-use", error.message, { cause: error });
      }
      throw failed(error);
    }
  }

  async #mustFind(reference: string, options: EngineCall): Promise<ImageInfo> {
    const found = await this.find(reference, options);
    if (found) return found;
    const message = `${reference}: Docker reported success but does not hold the image`;
    throw engineFault("image-build-failed", message);
  }
}

interface Image {
  readonly Id: string;
  readonly Size: number;
  readonly Created: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> | null } | null;
}

interface ListedImage {
  readonly Id: string;
  readonly Size: number;
  /** Seconds since 1970. */
  readonly Created: number;
  readonly RepoTags: readonly string[] | null;
  readonly Labels: Readonly<Record<string, string>> | null;
}

function infoOf(reference: string, { Id, Size, Created, Config }: Image): ImageInfo {
  const created = new Date(Created);
  return { reference, id: Id, bytes: Size, created, labels: Config?.Labels ?? {} };
}

function listedInfo(reference: string, { Id, Size, Created, Labels }: ListedImage): ImageInfo {
  const created = new Date(Created * 1_000);
  return { reference, id: Id, bytes: Size, created, labels: Labels ?? {} };
}

/** Docker reads a change as a line of a Dockerfile: quotes as in JSON, and `$` names a variable. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("$", "\\$");
}

function splitReference(reference: string): [string, string] {
  const colon = reference.lastIndexOf(":");
  const tagged = colon > reference.lastIndexOf("/");
  return tagged ? [reference.slice(0, colon), reference.slice(colon + 1)] : [reference, "latest"];
}
