import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PluginBuild } from "esbuild";
import type { SandboxImage } from "./sandbox-image.ts";

/**
 * A program with MCP servers that sandboxes carry, bundled to one file, and one more for each part
 * that it loads later or not at all.
 */
export interface ServerBundle extends ProgramBundle {
  /** In the image: /opt/cloche/servers/<name>.mjs. */
  readonly name: string;
  /** The smallest image that has it. */
  readonly image: SandboxImage;
}

/** A program bundled to one file, and what lies beside it. */
export interface ProgramBundle {
  readonly name: string;
  /** The module that is started, by its path from the root. */
  readonly entry: string;
  /** The npm package that it is; undefined for what is our own. */
  readonly package?: string;
  /** Further programs of ours that it starts, each a bundle of its own beside it. */
  readonly helpers?: readonly { readonly name: string; readonly entry: string }[];
  /** A file of ours, by its path from the root, that lies beside it. */
  readonly settings?: string;
  /** What it looks for in packages at run time. */
  readonly beside?: readonly PackageFiles[];
}

/** Files of an npm package that lie beside the bundle, where Node finds them by its name. */
export interface PackageFiles {
  readonly package: string;
  /** By path in the package; with a "/" at its end, all files of a folder. */
  readonly files: readonly string[];
  /** The package's code is among them and stays out of the bundle. Default: only data is. */
  readonly isWhole?: boolean;
}

const IRONCALC: PackageFiles = {
  package: "@ironcalc/wasm",
  files: ["package.json", "wasm_bg.wasm"],
};
const CALCULATOR = {
  name: "spreadsheet-calculator",
  entry: "servers/spreadsheet/calculator-worker.ts",
};

/** What the grader computes workbooks with: the spreadsheet server's own code. */
export const WORKBOOK_VALUES: ProgramBundle = {
  name: "workbook-values",
  entry: "servers/spreadsheet/values-main.ts",
  helpers: [CALCULATOR],
  beside: [IRONCALC],
};

/** To add a server: its package in package.json's devDependencies, and a line here. */
export const SERVER_BUNDLES: readonly ServerBundle[] = [
  {
    name: "office",
    image: "office",
    entry: "servers/office-process.ts",
    helpers: [CALCULATOR, { name: "documents-worker", entry: "servers/documents/worker.ts" }],
    beside: [
      IRONCALC,
      {
        package: "pdfjs-dist",
        files: ["package.json", "LICENSE", "cmaps/", "iccs/", "standard_fonts/", "wasm/"],
      },
    ],
  },
  {
    name: "browser",
    image: "office-browser",
    package: "@playwright/mcp",
    entry: "node_modules/@playwright/mcp/cli.js",
    settings: "servers/browser/browser.json",
    // Bundled already by those who make it, and reads its own files.
    beside: [
      {
        package: "playwright-core",
        isWhole: true,
        files: [
          "package.json",
          "browsers.json",
          "LICENSE",
          "NOTICE",
          "ThirdPartyNotices.txt",
          "lib/coreBundle.js",
          "lib/utilsBundle.js",
          "lib/webp_codec.wasm",
        ],
      },
    ],
  },
];

/**
 * How all servers are bundled; part of the image's hash. The banner gives CommonJS packages inside
 * an ES module the `require` that they expect.
 */
export const BUNDLE_OPTIONS = {
  bundle: true,
  splitting: true,
  platform: "node",
  target: "node24",
  format: "esm",
  // What is in memory for as long as a server runs is its source, too. Names stay, for traces.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "inline",
  logLevel: "silent",
  metafile: true,
  alias: {
    // The SDK's checker of JSON schemas is a third of what a server would load, for answers to
    // questions that ours do not ask.
    "@modelcontextprotocol/server/_shims": "./servers/kit/sdk-shims.ts",
    // A part that is CommonJS would have no names, only a default.
    "pdf-lib": "./node_modules/pdf-lib/es/index.js",
  },
  banner: {
    js: 'import { createRequire as __cjs } from "node:module"; const require = __cjs(import.meta.url);',
  },
} as const;

/** Modules of which nobody uses more than this: zod speaks fifty languages to whom asks in one. */
export const SHORTENED_MODULES = [
  { path: "zod/v4/locales/index.js", contents: 'export { default as en } from "./en.js";' },
] as const;

export interface BundledServer {
  /** By path from the folder of servers: the bundle first, then what lies beside it. */
  readonly files: readonly { readonly path: string; readonly content: Uint8Array }[];
  /** The folders of the npm packages that are in it, by path from the root, sorted. */
  readonly packages: readonly string[];
}

/**
 * Bundles a server. Throws what esbuild says.
 *
 * No compile cache goes with it: Node keeps one per user id, and each rollout has ids of its own.
 */
export async function bundleServer(server: ProgramBundle): Promise<BundledServer> {
  const { helpers = [], beside = [] } = server;
  const external = beside.flatMap((one) => {
    return one.isWhole ? [one.package, `${one.package}/*`] : [];
  });
  const bundles = await Promise.all(
    [server, ...helpers].map(async ({ name, entry }) => {
      return await bundle(name, entry, external);
    }),
  );
  const packages = [
    ...bundles.flatMap((one) => one.packages),
    ...beside.map((one) => `node_modules/${one.package}`),
  ];
  return {
    files: [
      ...bundles.flatMap(({ files }) => files),
      ...settingsOf(server),
      ...beside.flatMap(filesOf),
    ],
    packages: [...new Set(packages)].sort(),
  };
}

/** Files that lie in one folder, since some look for others beside themselves. */
async function bundle(name: string, entry: string, external: string[]) {
  const { build } = await import("esbuild"); // Here, since most commands bundle nothing.
  const options = { ...BUNDLE_OPTIONS, external, write: false, absWorkingDir: ROOT } as const;
  const result = await build({
    ...options,
    entryPoints: [{ in: join(ROOT, entry), out: name }],
    outdir: join(ROOT, OUT),
    outExtension: { ".js": ".mjs" },
    chunkNames: `${name}-[name]-[hash]`,
    plugins: [{ name: "shortened modules", setup: shorten }],
  });
  const files = result.outputFiles.map(({ path, contents: content }) => {
    return { path: basename(path), content };
  });
  files.sort(
    (a, b) => Number(isPart(a.path)) - Number(isPart(b.path)) || (a.path < b.path ? -1 : 1),
  );
  const packages = Object.keys(result.metafile.inputs).flatMap((path) => packageOf(path) ?? []);
  return { files, packages };

  function isPart(path: string): boolean {
    return path !== `${name}.mjs`;
  }
}

function shorten(build: PluginBuild): void {
  for (const { path, contents } of SHORTENED_MODULES) {
    const filter = new RegExp(`/${path.replaceAll(".", "\\.")}$`);
    build.onLoad({ filter }, ({ path: file }) => ({ contents, resolveDir: dirname(file) }));
  }
}

/** Nothing is written there. */
const OUT = "servers";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Its settings as a file beside it, if it has any. */
export function settingsOf({ settings }: ProgramBundle): BundledServer["files"] {
  if (settings === undefined) return [];
  return [{ path: basename(settings), content: readFileSync(join(ROOT, settings)) }];
}

function filesOf({ package: name, files }: PackageFiles) {
  const folder = `node_modules/${name}`;
  const paths = files.flatMap((file) => {
    if (!file.endsWith("/")) return [`${folder}/${file}`];
    const inside = readdirSync(join(ROOT, folder, file)).sort();
    return inside.map((one) => `${folder}/${file}${one}`);
  });
  return paths.map((path) => ({ path, content: readFileSync(join(ROOT, path)) }));
}

/** The folder of the package that an input belongs to; undefined for our own files. */
function packageOf(input: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
}
