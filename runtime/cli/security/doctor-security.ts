import { processIdentity } from "../../base/process-identity.ts";
import type { Property } from "../../engine/probe/golden.ts";
import { openDataFolder } from "../../store/data-folder.ts";
import type { CommonOptions, Context } from "../context.ts";
import { dataPath } from "../data-path.ts";
import { EXIT } from "../exit-codes.ts";
import { openAnsweringEngine } from "../parts.ts";
import { requireImages } from "../set-up/require-images.ts";
import { table } from "../terminal.ts";
import { hostWarnings, type Warning } from "./host.ts";
import { type Examined, examineSandbox } from "./sealed.ts";

interface SecurityDocument extends Examined {
  readonly ok: boolean;
  /** The engine, as it says itself. */
  readonly engine: string;
  readonly warnings: readonly Warning[];
}

/** Probes a sandbox anew and says all that it found; resolves with the exit code. */
export async function examineSecurity(context: Context, options: CommonOptions): Promise<number> {
  const { terminal } = context;
  const { engine, report } = await openAnsweringEngine(context, options);
  await using _engine = engine;
  const { images } = await requireImages(engine, context.env);
  const data = await openDataFolder(dataPath(options.data, context.env));
  const process = processIdentity();
  const examined = await examineSandbox({ engine, report, images, data, process, fresh: true });
  const document: SecurityDocument = {
    ok: examined.properties.every(({ verdict }) => verdict !== "weaker"),
    engine: report.summary,
    ...examined,
    warnings: hostWarnings(report.isolation, examined.landlock),
  };
  terminal.out(options.json ? `${JSON.stringify(document, null, 2)}\n` : text(document, terminal));
  return document.ok ? EXIT.graded : EXIT.notGraded;
}

function text(document: SecurityDocument, { paint }: Context["terminal"]): string {
  const { isolation, properties, notes, warnings } = document;
  const mark = ({ verdict }: Property) =>
    verdict === "weaker" ? paint.red("weaker") : paint.green("ok");
  const rows = properties.map((one) => [mark(one), one.property, one.wanted, one.found, one.how]);
  const weaker = properties.filter(({ verdict }) => verdict === "weaker").length;
  return [
    `${document.engine}; runtime ${isolation.runtime}, profile ${isolation.profile}\n\n`,
    table([["", "property", "wanted", "found", "how it was checked"], ...rows.map(shorten)]),
    ...notes.map((note) => `\n${note}`),
    ...(notes.length > 0 ? ["\n"] : []),
    warnings.length > 0 ? "\nCould be better on this host:\n" : "",
    table(
      warnings.map(({ what, found, remedy }) => [
        paint.yellow("note"),
        what,
        `${found}; ${remedy}`,
      ]),
    ),
    weaker === 0
      ? "\nSandboxes are what their profile says.\n"
      : `\nSandboxes are weaker than their profile in ${weaker} properties: serve refuses.\n`,
  ].join("");
}

const CELL_MAX = 48;

/** The whole of it is in the JSON document. */
function shorten(row: readonly string[]): string[] {
  return row.map((cell, index) =>
    index === 0 || cell.length <= CELL_MAX ? cell : `${cell.slice(0, CELL_MAX - 1)}…`,
  );
}
