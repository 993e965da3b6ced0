import { baseSource, makeBase } from "../../../images/base/make-base.ts";
import { contextArchive } from "../../../images/context.ts";
import {
  graderContext,
  type ImageChoice,
  type ImageName,
  type ImageReferences,
  imageReferences,
  sandboxContext,
} from "../../../images/definitions.ts";
import { linuxNode } from "../../../images/node-binary.ts";
import { asFault, messageOf } from "../../base/fault.ts";
import type { Engine } from "../../engine/engine.ts";
import type { BuildOptions, ImageInfo } from "../../engine/image-store.ts";
import { megabytes } from "../terminal.ts";
import { setupFault } from "./faults.ts";
import { type Progress, type ProgressStep, silentProgress } from "./progress.ts";

export interface EnsureImagesOptions extends ImageChoice {
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Builds what the engine lacks of base, sandbox and grader image, and says what they are called.
 * Nothing is built if the names of today's inputs are there already.
 * Rejects with `setup/image-not-made` or a fault of the engine.
 */
export async function ensureImages(
  engine: Engine,
  options: EnsureImagesOptions = {},
): Promise<ImageReferences> {
  const references = imageReferences(options);
  const build: Build = {
    engine,
    references,
    options,
    progress: options.progress ?? silentProgress,
  };
  const [sandbox, grader] = await Promise.all([find(build, "sandbox"), find(build, "grader")]);
  if (!sandbox || !grader) await ensureBase(build);
  await ensureImage(build, "sandbox", sandbox, sandboxImage);
  await ensureImage(build, "grader", grader, graderImage);
  return references;
}

/**
 * What sandbox and grader image are called now, if the engine holds both. Rejects with
 * `setup/image-missing`, which names what is not there, or a fault of the engine.
 */
export async function requireImages(
  engine: Engine,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ImageReferences> {
  const references = imageReferences(imageChoice(env));
  const wanted = [references.sandbox, references.grader];
  const found = await Promise.all(wanted.map((reference) => engine.images.find(reference)));
  const missing = wanted.filter((_, index) => found[index] === undefined);
  if (missing.length === 0) return references;
  const list = missing.join(" and ");
  const sentence = `the engine does not hold ${list}; run "npm run setup" to build what is missing`;
  throw setupFault("image-missing", sentence, { detail: { missing } });
}

/** What the environment says about images: `CLOCHE_BASE_IMAGE`. */
export function imageChoice(env: Readonly<Record<string, string | undefined>>): ImageChoice {
  const baseImage = env["CLOCHE_BASE_IMAGE"];
  return baseImage ? { baseImage } : {};
}

interface Build {
  readonly engine: Engine;
  readonly references: ImageReferences;
  readonly options: EnsureImagesOptions;
  readonly progress: Progress;
}

type Make = (build: Build, step: ProgressStep) => Promise<ImageInfo>;

async function ensureBase(build: Build): Promise<void> {
  await ensureImage(build, "base", await find(build, "base"), baseImage);
}

async function ensureImage(
  build: Build,
  name: ImageName,
  present: ImageInfo | undefined,
  make: Make,
): Promise<void> {
  await build.progress.step(`${name} image`, async (step) => {
    if (present) return { value: undefined, summary: `${present.reference} is there` };
    const made = await attempt(name, build, () => make(build, step));
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
  const { buildArgs: _, ...makeOptions } = buildOptions("base", build, step);
  return makeBase(source, engine.images, references.base, makeOptions);
}

async function sandboxImage(build: Build, step: ProgressStep): Promise<ImageInfo> {
  const { engine, options, references } = build;
  step.intent("installing Node, Python and the usual tools, about 40 s");
  const { architecture } = await engine.check(callOf(options));
  await using node = await linuxNode(architecture, options.signal);
  const context = contextArchive(await sandboxContext(node.path));
  return engine.images.build(context, references.sandbox, buildOptions("sandbox", build, step));
}

async function graderImage(build: Build, step: ProgressStep): Promise<ImageInfo> {
  step.intent("installing Python and what reads office files, about 30 s");
  const context = contextArchive(graderContext());
  const { engine, references } = build;
  return engine.images.build(context, references.grader, buildOptions("grader", build, step));
}

function buildOptions(name: ImageName, build: Build, step: ProgressStep): BuildOptions {
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
