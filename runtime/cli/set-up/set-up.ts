import { homedir } from "node:os";
import { join } from "node:path";
import { locateDocker } from "../../engine/docker/locate.ts";
import { openEngine } from "../../engine/engines.ts";
import type { ImageReferences } from "../../image/definitions.ts";
import type { Terminal } from "../terminal.ts";
import { ensureEngine } from "./ensure-engine.ts";
import { type EnsureImagesOptions, ensureImages, imageChoice } from "./ensure-images.ts";
import { terminalProgress } from "./progress.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Everything that Cloche needs on this machine beyond its npm packages: an engine that answers
 * and its images. Does only what is missing, says before what it will do and after how long it
 * took. Rejects with a fault of `setup/…` or `engine/…`.
 */
export async function setUp(
  terminal: Terminal,
  env: Env,
  request: Pick<EnsureImagesOptions, "upTo" | "signal"> = {},
): Promise<ImageReferences> {
  const options = { progress: terminalProgress(terminal), ...request };
  const { source } = await locateDocker(undefined, env);
  await using engine = await ensureEngine(() => openEngine("docker", { env }), {
    ...options,
    cacheFolder: cacheFolder(env),
    named: source === "a usual place" ? undefined : source,
  });
  return await ensureImages(engine, { ...options, ...imageChoice(env) });
}

function cacheFolder(env: Env): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "cloche");
}
