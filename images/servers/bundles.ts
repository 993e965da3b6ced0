import { fileURLToPath } from "node:url";

/** An MCP server that sandboxes carry: an npm package, bundled to one file as it ships. */
export interface ServerBundle {
  /** In the image: /opt/cloche/servers/<name>.mjs. */
  readonly name: string;
  readonly package: string;
  /** The module that is started. */
  readonly entry: string;
}

/** To add a server: its package in package.json's devDependencies, and a line here. */
export const SERVER_BUNDLES: readonly ServerBundle[] = [
  {
    name: "filesystem",
    package: "@modelcontextprotocol/server-filesystem",
    entry: "@modelcontextprotocol/server-filesystem/dist/index.js",
  },
];

/**
 * How all servers are bundled; part of the image's hash. The banner gives CommonJS packages inside
 * an ES module the `require` that they expect.
 */
export const BUNDLE_OPTIONS = {
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  legalComments: "inline",
  logLevel: "silent",
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
} as const;

/**
 * The bundled server: one file that needs nothing but Node. Throws what esbuild says.
 *
 * No compile cache goes with it: Node keeps one per user id, and each rollout has ids of its own.
 * It would save about 40 of the 215 ms until a server answers.
 */
export async function bundleServer(server: ServerBundle): Promise<Uint8Array> {
  const entry = fileURLToPath(import.meta.resolve(server.entry));
  const { build } = await import("esbuild"); // Here, since most commands bundle nothing.
  const result = await build({
    ...BUNDLE_OPTIONS,
    entryPoints: [entry],
    write: false,
    absWorkingDir: fileURLToPath(new URL("../..", import.meta.url)),
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error(`esbuild made nothing of ${server.entry}`);
  return file.contents;
}
