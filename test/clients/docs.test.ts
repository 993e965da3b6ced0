import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { execa } from "execa";
import { type Serving, serve } from "./serve.ts";
import { installedPython } from "./venv.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TEXT = readFileSync(join(ROOT, "docs", "service.md"), "utf8");
const URL_IN_TEXT = "http://127.0.0.1:7317";

/** The code of a section, but for what starts a service. */
function blocks(section: string, language: string): string[] {
  const text = TEXT.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? "";
  const found = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))];
  assert.ok(found.length > 0, `docs/service.md has no ${language} under "${section}"`);
  return found.map(([, code]) => code ?? "");
}

describe("docs/service.md does as it says", () => {
  const stack = new AsyncDisposableStack();
  let service: Serving;
  let folder: string;
  let environment: Record<string, string>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "docs-of-cloche-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    service = stack.use(await serve(ROOT));
    environment = { PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env["PATH"]}` };
  });
  after(() => stack.disposeAsync());

  /** Runs commands from the root, as written but for the port and the folder of the venv. */
  async function shell(commands: string): Promise<string> {
    const here = commands
      .replaceAll(URL_IN_TEXT, service.url)
      .replaceAll(".cache/worker", join(folder, "venv"))
      .replaceAll("/tmp/cloche-", join(folder, "cloche-"))
      .replace(/(examples\/\w+\.py|typescript\/[\w-]+\.ts)/g, `$1 --url ${service.url}`);
    const script = ["-euo", "pipefail", "-c", here];
    const { all, exitCode } = await execa("bash", script, {
      cwd: ROOT,
      env: environment,
      all: true,
      reject: false,
    });
    assert.equal(exitCode, 0, all);
    return all;
  }

  it("with curl", async () => {
    const said = await shell(blocks("curl", "sh").join("\n"));
    assert.match(said, /'list_directory'/);
    assert.match(said, /\[FILE\] catalogue\.xlsx/);
    assert.match(said, /"leaseUntil"/);
    assert.equal(said.match(/\{ sparse: 0, dense: [\d.]+, gain: [\d.-]+ \}/g)?.length, 2);
    assert.match(said, /event: grade/);
  });

  it("with Python", async (context: TestContext) => {
    const { missing } = await installedPython(join(folder, "venv"));
    if (missing !== undefined) return context.skip(missing);
    const said = await shell(blocks("Python", "sh").join("\n"));
    assert.match(said, /^reward \{"sparse": 0/m);
    assert.equal(said.match(/2 of 2 graded/g)?.length, 2);
    const [code = ""] = blocks("Python", "python");
    const file = join(folder, "worker.py");
    await writeFile(file, code.replaceAll(URL_IN_TEXT, service.url));
    assert.match(await shell(`.cache/worker/bin/python ${file}`), /'sparse': 0/);
  });

  it("with TypeScript", async () => {
    const said = await shell(blocks("TypeScript", "sh").join("\n"));
    assert.match(said, /^reward \{"sparse":0/m);
    assert.match(said, /2 of 2 graded/);
    const [code = ""] = blocks("TypeScript", "ts");
    await mkdir(join(folder, "node_modules"));
    await symlink(ROOT, join(folder, "node_modules", "cloche"));
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    const file = join(folder, "worker.ts");
    await writeFile(file, reachable(code).replaceAll(URL_IN_TEXT, service.url));
    assert.match(await shell(`npx node ${file}`), /graded \{ sparse: 0/);
  });

  it("with keys and numbers to watch", async () => {
    await shell(blocks("Callers beyond this machine", "sh").join("\n"));
    assert.match(readFileSync(join(folder, "cloche-keys"), "utf8"), /^trainer-1 [0-9a-f]{64}/);
    const said = await shell(blocks("Watching it", "sh").join("\n"));
    for (const line of [/"status":"ok"/, /"status":"ready"/, /^cloche_/m]) assert.match(said, line);
  });

  it("names only files that are there", () => {
    for (const [path] of TEXT.matchAll(/\b(clients|docs|runtime|test)\/[\w./-]*\w/g)) {
      assert.ok(existsSync(join(ROOT, path)), path);
    }
  });
});

/** As long as the package names no door "cloche/client", the file behind it stands for it. */
function reachable(code: string): string {
  const { exports = {} } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  if ("./client" in exports) return code;
  const file = pathToFileURL(join(ROOT, "runtime", "api", "client", "client.ts"));
  return code.replace('"cloche/client"', JSON.stringify(file.href));
}
