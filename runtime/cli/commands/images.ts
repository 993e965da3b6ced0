import type { Command } from "commander";
import { engineFault } from "../../engine/faults.ts";
import type { ImageInfo } from "../../engine/image-store.ts";
import { imageReferences } from "../../image/definitions.ts";
import { type Sbom, sbomOf } from "../../image/sbom.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";
import { imageContents } from "../image-contents.ts";
import { openAnsweringEngine, openRecords } from "../parts.ts";
import { ensureImages, imageChoice } from "../set-up/ensure-images.ts";
import { terminalProgress } from "../set-up/progress.ts";
import { pruneImages } from "../set-up/prune-images.ts";
import { megabytes, table } from "../terminal.ts";

const HELP = `
Example:
  $ ./cloche.mjs images list`;

/** Those that boxes are made from; the base is in each of them. */
const LISTED = { office: true, "office-browser": true, grader: true } as const;

type Verb = (context: Context, options: CommonOptions) => Promise<unknown>;

export function addImages(program: Command, context: Context): void {
  const images = program.command("images").description("the images that boxes are made from");
  const verb = (name: string, description: string, work: Verb) =>
    images
      .command(name)
      .description(description)
      .option("--json", "one JSON document on stdout")
      .addHelpText("after", HELP)
      .action(async (options: CommonOptions) => {
        const document = await work(context, options);
        if (options.json) context.terminal.out(`${JSON.stringify(document, null, 2)}\n`);
        process.exitCode = EXIT.graded;
      });
  verb("build", "build what is missing or out of date", build);
  verb("list", "what the engine holds of ours, and what is current", list);
  verb("prune", "remove what is out of date", prune);
  addSbom(images, context);
}

const SBOM_HELP = `
Debian's packages as the image's own dpkg knows them, the npm packages that its servers are bundled
from, Node, and our own files with their hashes. Image: ${Object.keys(LISTED).join(", ")}.

Example:
  $ ./cloche.mjs images sbom office --json > office.cdx.json

Exit codes: 0 listed, 2 there is no such image.`;

function addSbom(images: Command, context: Context): void {
  images
    .command("sbom [image]")
    .description("list what an image contains (CycloneDX 1.6 with --json)")
    .option("--json", "the document on stdout")
    .option("--data <folder>", "whose sandboxes these are (or CLOCHE_DATA)")
    .addHelpText("after", SBOM_HELP)
    .action(async (name: string | undefined, options: CommonOptions) => {
      const document = await sbom(context, name ?? "office", options);
      const { out } = context.terminal;
      if (options.json) out(`${JSON.stringify(document, null, 2)}\n`);
      else out(table(document.components.map(({ name, version = "" }) => [name, version])));
      process.exitCode = EXIT.graded;
    });
}

async function sbom(context: Context, name: string, options: CommonOptions): Promise<Sbom> {
  if (!Object.hasOwn(LISTED, name)) {
    const known = Object.keys(LISTED).join(", ");
    throw cliFault("bad-option", `there is no image "${name}": give one of ${known}`);
  }
  const { engine } = await openAnsweringEngine(context, options);
  await using _engine = engine;
  await using records = await openRecords(context, options);
  const reference = imageReferences(imageChoice(context.env))[name as keyof typeof LISTED];
  const image = await engine.images.find(reference);
  if (image !== undefined) {
    return await sbomOf(await imageContents(engine, image, records.data.owner));
  }
  const message = `the engine has no image ${reference}; build it with: ./cloche.mjs images build`;
  throw engineFault("image-missing", message);
}

async function build(context: Context, options: CommonOptions): Promise<unknown> {
  const { engine } = await openAnsweringEngine(context, options);
  await using _engine = engine;
  const progress = terminalProgress(context.terminal);
  return ensureImages(engine, { ...imageChoice(context.env), progress });
}

async function list(context: Context, options: CommonOptions): Promise<unknown> {
  const { engine } = await openAnsweringEngine(context, options);
  await using _engine = engine;
  const current = Object.values(imageReferences(imageChoice(context.env)));
  const held = await engine.images.list();
  const missing = current.filter(
    (reference) => !held.some((image) => image.reference === reference),
  );
  if (!options.json) {
    const rows = held.map((image) => row(image, current.includes(image.reference)));
    context.terminal.out(table([["image", "size", "made", ""], ...rows]));
    for (const reference of missing)
      context.terminal.out(`${reference}  missing: ./cloche.mjs images build\n`);
  }
  return { current, missing, held };
}

async function prune(context: Context, options: CommonOptions): Promise<unknown> {
  const { engine } = await openAnsweringEngine(context, options);
  await using _engine = engine;
  const pruned = await pruneImages(engine, imageChoice(context.env));
  if (!options.json) {
    for (const { reference, bytes } of pruned.removed) {
      context.terminal.out(`removed  ${reference}  ${megabytes(bytes)}\n`);
    }
    for (const { reference } of pruned.inUse) context.terminal.out(`in use   ${reference}\n`);
    if (pruned.removed.length + pruned.inUse.length === 0)
      context.terminal.out("nothing is out of date\n");
  }
  return pruned;
}

function row({ reference, bytes, created }: ImageInfo, current: boolean): string[] {
  const made = created.toISOString().slice(0, 16).replace("T", " ");
  return [reference, megabytes(bytes), made, current ? "current" : "out of date"];
}
