import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { ofNote, smallTask } from "../support/small-task.ts";
import { keyFile, type Serving, serve } from "./serve.ts";
import { installedPython } from "./venv.ts";

const CLIENT = fileURLToPath(new URL("../../python/cloche_client", import.meta.url));
describe("the Python client, installed as anybody installs it", () => {
  const stack = new AsyncDisposableStack();
  let python: string | undefined;
  let missing: string | undefined;
  let tasks: string;
  let small: Serving;
  let key: string;

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), "cloche-venv-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    ({ python, missing } = await installedPython(join(folder, "venv"), "[mcp]"));
    if (python === undefined) return;
    const large = "[cloche.budget]\nresult_bytes = 8388608\n\n[cloche.variants]";
    const toml = ofNote("task.toml", "[cloche.variants]", large);
    const root = stack.use(await smallTask({ "task.toml": toml }));
    tasks = join(root.path, "tasks");
    const { path, keys } = stack.use(await keyFile(["mine"]));
    ({ mine: key } = keys);
    small = stack.use(await serve(root.path, { args: ["--keys", path] }));
  });
  after(() => stack.disposeAsync());

  /** In the environment, as the examples take it. */
  const keyed = () => ({ CLOCHE_KEY: key, CLOCHE_TEST_URL: small?.url });

  /** What the program prints; undefined, and the test skipped, where Python packages are not to be had. */
  async function run(context: TestContext, args: readonly string[]) {
    if (python === undefined) {
      context.skip(missing);
      return undefined;
    }
    const { all, exitCode } = await execa(python, args, {
      cwd: CLIENT,
      env: keyed(),
      all: true,
      reject: false,
    });
    assert.equal(exitCode, 0, all);
    return all;
  }

  const example = (name: string, ...args: readonly string[]) => [
    join("examples", `${name}.py`),
    ...["--url", small?.url ?? "", "--task", "test/note"],
    ...args,
  ];

  it("passes its own tests, with a real service that has keys among them", async (context) => {
    const said = await run(context, ["-m", "unittest", "discover", "-s", "tests"]);
    if (said === undefined) return;
    assert.match(said, /^Ran [1-9]\d+ tests/m);
    assert.doesNotMatch(said, /skipped/);
  });

  it("has a client in threads that is made of the one in asyncio", async () => {
    const { exitCode, stderr } = await execa("python3", ["generate_sync.py", "--check"], {
      cwd: CLIENT,
      reject: false,
    });
    assert.equal(exitCode, 0, stderr);
  });

  it("plays the example of one rollout", async (context) => {
    const said = await run(context, example("one_rollout"));
    if (said !== undefined) assert.match(said, /^reward \{"sparse": 1, "dense": 1, "gain": 1\}$/m);
  });

  it("plays the example of a group of 8 and says each one's advantage", async (context) => {
    const said = await run(context, example("group", "--n", "8"));
    if (said === undefined) return;
    assert.match(said, /8 of 8 graded/);
    assert.equal(said.match(/reward 1\.000 {2}advantage \+0\.577/g)?.length, 6);
    assert.equal(said.match(/reward 0\.250 {2}advantage -1\.732/g)?.length, 2);
  });

  it("plays the example of rollouts in one loop, through the official MCP client", async (context) => {
    const said = await run(context, example("async_rollouts"));
    if (said !== undefined) assert.equal(said.match(/graded/g)?.length, 2);
  });

  it("plays a group of 8 of the small task with its solution", async (context) => {
    const said = await run(context, example("oracle_group", "--tasks", tasks ?? "", "--n", "8"));
    if (said === undefined) return;
    assert.match(said, /8 of 8 graded/);
    assert.equal(said.match(/graded {2}\{'sparse': 1, 'dense': 1, 'gain': 1\}/g)?.length, 8);
  });

  it("plays a lost member again, and goes on when its service was killed and started again", async (context) => {
    if (python === undefined) return context.skip(missing);
    const script = fileURLToPath(import.meta.resolve("./survivor.py"));
    const child = execa(python, [script, small.url], { env: keyed(), reject: false });
    const answers: Record<string, (rollout: string) => Promise<void>> = {
      lose: (rollout) => small.loseSandbox(rollout),
      kill: () => small.crash(),
      start: async () => {
        starting = small.startAgain();
      },
    };
    let starting = Promise.resolve();
    let last = "";
    for await (const line of child) {
      const [word = "", rollout = ""] = String(line).split(" ");
      last = word;
      await answers[word]?.(rollout);
      child.stdin?.write("\n");
    }
    await starting;
    assert.equal(last, "survived", (await child).stderr);
  });
});
