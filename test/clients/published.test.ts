import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { z } from "zod";
import type * as client from "../../runtime/api/client/client.ts";
import { groupRequest, listQuery, rolloutRequest } from "../../runtime/api/requests.ts";
import type { ToolInfo } from "../../runtime/mcp/link/handshake.ts";
import type * as service from "../../runtime/service/service.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { standIn, viewDocument } from "./stand-in.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = join(ROOT, "runtime", "api", "client");

const WORKER = `import { Cloche, ClocheError, type Rollout } from "./client/client.js";

const cloche = new Cloche({ url: process.argv[2] ?? "" });
const rollout: Rollout = await cloche.rollout({ task: "test/note" });
const view = await cloche.get(rollout.id);
const phase: "serving" | string = view.phase;
console.log(phase, rollout.instruction, ClocheError.name);
await rollout.release();
`;

describe("the TypeScript client as a package", () => {
  it("imports nothing but its own files and, lazily, the MCP client", () => {
    for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".ts"))) {
      const text = readFileSync(join(FOLDER, name), "utf8");
      const from = [...text.matchAll(/^(import type|import|export).*?from "([^"]+)"/gms)];
      const others = from.filter(([, , target]) => !target?.startsWith("./"));
      for (const [, kind] of others) assert.equal(kind, "import type", name);
      const lazy = [...text.matchAll(/\bimport\("([^"]+)"\)/g)].map(([, target]) => target);
      assert.deepEqual(lazy, name === "rollout.ts" ? ["@modelcontextprotocol/client"] : []);
      assert.doesNotMatch(text, /\bprocess\.|"node:/, name);
    }
  });

  it("takes what the service answers, and the service takes what it asks", () => {
    const answers = {
      view: (value: service.RolloutView): client.RolloutView => value,
      group: (value: service.GroupView): client.GroupView => value,
      event: (value: service.RolloutEvent): client.RolloutEvent => value,
      tool: (value: ToolInfo): client.McpTool => value as client.McpTool,
      request: (value: client.RolloutRequest): service.RolloutRequest =>
        value as service.RolloutRequest,
      call: (value: client.ToolCall): service.ToolCall => value,
      group_request: (value: client.GroupRequest): service.GroupRequest =>
        value as service.GroupRequest,
    };
    // That it compiles is the proof.
    assert.equal(Object.keys(answers).length, 7);
  });

  it("takes every field that the service takes, by the same name, as the Python client does", () => {
    type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
    type Asked = Exclude<keyof service.RolloutRequest, "idempotencyKey">;
    const requests: Same<keyof client.RolloutRequest, Asked> = true;
    // What services may keep is the task's alone to say.
    type Bounds = Exclude<keyof RolloutRecord["limits"], "stateBytes" | "stateFiles">;
    const limits: Same<keyof client.Limits, Bounds> = true;
    const budgets: Same<keyof client.Budget, keyof RolloutRecord["budget"]> = true;
    assert.deepEqual([requests, limits, budgets], [true, true, true]); // That it compiles is the proof.
    const python = (name: string) =>
      readFileSync(join(ROOT, "python", "cloche_client", "src", "cloche_client", name), "utf8");
    const [said = ""] = /said = \{.*?\}/s.exec(python("_questions.py")) ?? [];
    const asked = [...said.matchAll(/"(\w+)": /g)].map(([, name]) => name);
    const taken = [...Object.keys(rolloutRequest.shape), ...Object.keys(groupRequest.shape)];
    assert.deepEqual(asked.sort(), [...new Set(taken)].sort());
    const bounds = { Limits: "limits", Budget: "budget" } as const;
    for (const [name, field] of Object.entries(bounds)) {
      const [body = ""] =
        new RegExp(`class ${name}\\(.*?\\n\\n\\n`, "s").exec(python("_wire.py")) ?? [];
      const members = [...body.matchAll(/^ {4}(\w+): /gm)].map(([, member]) => member);
      const schema = rolloutRequest.shape[field].unwrap();
      assert.deepEqual(members.sort(), Object.keys(schema.shape).sort(), name);
    }
  });

  it("lists by every filter of the service, as the Python client does", () => {
    type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
    type Listed = Exclude<keyof z.infer<typeof listQuery>, "limit" | "cursor">;
    const filters: Same<keyof client.RolloutFilter, Listed> = true;
    assert.ok(filters); // That it compiles is the proof.
    const file = join(ROOT, "python/cloche_client/src/cloche_client/_async/client.py");
    const [query = ""] = /query = \{.*?\}/s.exec(readFileSync(file, "utf8")) ?? [];
    const asked = [...query.matchAll(/"(\w+)": /g)].map(([, name]) => name);
    const { limit: _limit, cursor: _cursor, ...taken } = listQuery.shape;
    assert.deepEqual(asked.sort(), Object.keys(taken).sort());
  });

  it("gives the same advice for its own codes as the Python client, and the docs list them", () => {
    const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
    const adviceIn = (path: string) => {
      const pairs = read(path).matchAll(/"(client\/[\w-]+)":[\s(]*"(.*)"/g);
      return new Map([...pairs].map(([, code = "", advice = ""]) => [code, advice]));
    };
    const mine = adviceIn("runtime/api/client/cloche-error.ts");
    const pythons = adviceIn("python/cloche_client/src/cloche_client/_errors.py");
    assert.equal(mine.size, 5);
    for (const [code, advice] of mine) assert.equal(pythons.get(code), advice, code);
    const docs = read("docs/service.md");
    for (const code of pythons.keys()) assert.ok(docs.includes(`\`${code}\``), code);
  });

  it("runs as plain JavaScript, with types that a strict program compiles against", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cloche-package-"));
    try {
      const tsc = join(ROOT, "node_modules", ".bin", "tsc");
      await execa(tsc, ["-p", FOLDER, "--outDir", join(folder, "client")]);
      await mkdir(join(folder, "node_modules"));
      for (const name of ["@modelcontextprotocol", "@types"]) {
        await symlink(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
      }
      await writeFile(join(folder, "package.json"), '{"type":"module"}');
      await writeFile(join(folder, "worker.ts"), WORKER);
      const strict = ["--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"];
      const lib = ["--lib", "es2022,esnext.disposable", "--skipLibCheck"];
      await execa(tsc, ["worker.ts", ...strict, ...lib], { cwd: folder });
      await using stand = await standIn([{ body: viewDocument() }]);
      const { stdout } = await execa(process.execPath, [join(folder, "worker.js"), stand.url]);
      assert.equal(stdout, "serving Do it. ClocheError");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
