import type { Readable } from "node:stream";
import type { EngineCall } from "./engine.ts";

/**
 * The images an engine holds. Ours are named `cloche/<name>:<hash of what went in>` and labelled
 * `cloche.image=<name>`. An engine that cannot build says so by `canBuild: false`; there, images
 * come from a registry.
 */
export interface ImageStore {
  readonly canBuild: boolean;

  /** Undefined if the engine doesn't have it. */
  find(reference: string, options?: EngineCall): Promise<ImageInfo | undefined>;

  /** All of ours, newest first. */
  list(options?: EngineCall): Promise<readonly ImageInfo[]>;

  /** Makes an image of one layer from a root file system. Rejects with `engine/image-build-failed`. */
  importRootfs(tar: Readable, reference: string, options?: BuildOptions): Promise<ImageInfo>;

  /**
   * Builds from a context (a tar stream with a Dockerfile at its root). Rejects with
   * `engine/image-build-failed`, whose message holds the failing step and its last lines.
   */
  build(context: Readable, reference: string, options?: BuildOptions): Promise<ImageInfo>;

  /** Rejects with `engine/image-in-use` if a container needs it; an absent image is no error. */
  remove(reference: string, options?: EngineCall): Promise<void>;
}

export interface BuildOptions extends EngineCall {
  readonly labels?: Readonly<Record<string, string>>;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** One line of the build's own output. */
  readonly onLine?: (line: string) => void;
}

export interface ImageInfo {
  readonly reference: string;
  /** Content id, `sha256:…`. */
  readonly id: string;
  readonly bytes: number;
  readonly created: Date;
  readonly labels: Readonly<Record<string, string>>;
}
