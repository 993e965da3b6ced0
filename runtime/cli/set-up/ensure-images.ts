import { asFault, messageOf } from "../../base/fault.ts";
import type { Engine } from "../../engine/engine.ts";
import type { BuildOptions, ImageInfo } from "../../engine/image-store.ts";
import { contextArchive } from "../../image/context.ts";
import {
  graderContext,
  type ImageChoice,
  type ImageName,
  type ImageReferences,
  imageReferences,
  sandboxContext,
} from "../../image/definitions.ts";
import { baseSource, makeBase } from "../../image/make-base.ts";
import { linuxNode } from "../../image/node-binary.ts";
import { SANDBOX_IMAGES, type SandboxImage } from "../../image/sandbox-image.ts";
import { MANIFEST_LABEL, manifestLabel } from "../../mcp/link/manifest.ts";
import { megabytes } from "../terminal.ts";
import { setupFault } from "./faults.ts";
import { type Progress, type ProgressStep, silentProgress } from "./progress.ts";
import { recordManifest } from "./record-manifest.ts";

export interface EnsureImagesOptions extends ImageChoice {
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  /** The largest image for sandboxes that is wanted. Default: the largest there is. */
  readonly upTo?: SandboxImage;
}

/**
 * Builds what the engine lacks of our images, and says what they are called. Nothing is built if
 * the names of today's inputs are there already.
 * Rejects with `setup/image-not-made` or a fault of the engine.
 */
export async function ensureImages(
  engine: Engine,
  options: EnsureImagesOptions = {},
): Promise<ImageReferences> {
  const references = imageReferences(options);
  const { progress = silentProgress, upTo = "office-browser" } = options;
  const build: Build = { engine, references, options, progress };
  const wanted = SANDBOX_IMAGES.slice(0, SANDBOX_IMAGES.indexOf(upTo) + 1);
  const names = ["office", "grader", ...wanted.filter((name) => name !== "office")] as const;
  const found = await Promise.all(names.map((name) => find(build, name)));
  if (found.includes(undefined)) await ensureImage(build, "base", await find(build, "base"));
  for (const [index, name] of names.entries()) await ensureImage(build, name, found[index]);
  return references;
}

/** What the environment says about images: `CLOCHE_BASE_IMAGE`. */
export function imageChoice(env: Readonly<Record<string, string | undefined>>): ImageChoice {
  const baseImage = env["CLOCHE_BASE_IMAGE"];
  return baseImage ? { baseImage } : {};
}

/** What the grader image is called now, whether the engine holds it or not. */
export function graderReference(env: Readonly<Record<string, string | undefined>>): string {
  return imageReferences(imageChoice(env)).grader;
}

interface Build {
  readonly engine: Engine;
  readonly references: ImageReferences;
  readonly options: EnsureImagesOptions;
  readonly progress: Progress;
}

type Make = (build: Build, step: ProgressStep) => Promise<ImageInfo>;

const MAKERS: Readonly<Record<ImageName, Make>> = {
  base: baseImage,
  office: sandboxImage("office", "installing Python, the usual tools and the servers, about 50 s"),
  "office-browser": sandboxImage("office-browser", "the same and Chromium, about a minute"),
  grader: graderImage,
};

async function ensureImage(
  build: Build,
  name: ImageName,
  present: ImageInfo | undefined,
): Promise<void> {
  await build.progress.step(`${name} image`, async (step) => {
    if (present) return { value: undefined, summary: `${present.reference} is there` };
    const made = await attempt(name, build, () => MAKERS[name](build, step));
    return { value: undefined, summary: `${made.reference}, ${megabytes(made.bytes)}` };
  });
}

async function baseImage(build: Build, step: ProgressStep): Promise<ImageInfo> {
  const { engine, options, references } = build;
  const { architecture } = await engine.check(callOf(options));
  const source = baseSource(options.baseImage, architecture);
  step.intent(
    source.kind === "image"
      ? `standing on ${source.image}, fetched if it is not there`
      : `unpacking Debian's packages from ${source.sources?.main ?? "its public mirrors"}, about 40 s`,
  );
  const labels = { "cloche.image": "base" };
  const makeOptions = { ...callOf(options), labels, onLine: step.detail };
  return makeBase(source, engine.images, references.base, makeOptions);
}

/** What its servers say of themselves is written on the image. */
function sandboxImage(image: SandboxImage, intent: string): Make {
  return async (build, step) => {
    step.intent(intent);
    const { engine, options, references } = build;
    const { architecture } = await engine.check(callOf(options));
    await using node = await linuxNode(architecture, options.signal);
    const context = await sandboxContext(image, node.path);
    step.detail("asking the servers what they are");
    const manifest = await recordManifest(image, context, options.signal);
    const { labels, ...rest } = buildOptions(image, build, step);
    const whole = { ...rest, labels: { ...labels, [MANIFEST_LABEL]: manifestLabel(manifest) } };
    return await engine.images.build(contextArchive(context), references[image], whole);
  };
}

async function graderImage(build: Build, step: ProgressStep): Promise<ImageInfo> {
  step.intent("installing Python and what reads office files, about 30 s");
  const { engine, options, references } = build;
  const { architecture } = await engine.check(callOf(options));
  await using node = await linuxNode(architecture, options.signal);
  const context = contextArchive(await graderContext(node.path));
  return await engine.images.build(context, references.grader, buildOptions("grader", build, step));
}

function buildOptions(
  name: Exclude<ImageName, "base">,
  build: Build,
  step: ProgressStep,
): BuildOptions {
  return {
    ...callOf(build.options),
    labels: { "cloche.image": name },
    buildArgs: { BASE: build.references.base },
    onLine: step.detail,
  };
}

async function attempt<T>(name: ImageName, build: Build, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    build.options.signal?.throwIfAborted();
    const sentence = `the ${name} image ${build.references[name]} was not made: ${messageOf(error)}`;
    throw asFault(error, (cause) => setupFault("image-not-made", sentence, { cause }));
  }
}

function find({ engine, references, options }: Build, name: ImageName) {
  return engine.images.find(references[name], callOf(options));
}

function callOf({ signal }: EnsureImagesOptions) {
  return signal ? { signal } : {};
}
