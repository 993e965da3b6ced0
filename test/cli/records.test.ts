import assert from "node:assert/strict";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { VERSION } from "../../runtime/base/version.ts";
import { writeBundle } from "../../runtime/store/bundle-writer.ts";
import { openDataFolder } from "../../runtime/store/data-folder.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { RecordStore } from "../../runtime/store/records.ts";
import { sampleContents, sampleRecord } from "../store/samples.ts";
import { runCloche } from "../support/run-cloche.ts";
import { tempFolder } from "../support/temp-folder.ts";

const REWARD = { sparse: 1, dense: 1 } as const;

/** Four rollouts a day apart. */
const RECORDS: readonly RolloutRecord[] = [
  sampleRecord({ id: "r1aaa000000000000001", requestedAt: "2026-03-01T09:00:00.000Z" }),
  ended({ id: "r1aab000000000000002", requestedAt: "2026-03-02T09:00:00.000Z", split: "holdout" }),
  ended({
    id: "r1bbb000000000000003",
    requestedAt: "2026-03-03T09:00:00.000Z",
    reward: { sparse: 0, dense: 0.5 },
  }),
  ended({
    id: "r1ccc000000000000004",
    requestedAt: "2026-03-04T09:00:00.000Z",
    outcome: "infra_error",
    reward: null,
    task: { id: "desk/other", sha256: "b".repeat(64) },
  }),
];

describe("records, from the command line", () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let bundle: string;
  before(async () => {
    folder = await tempFolder();
    const data = await openDataFolder(join(folder.path, "data"));
    const { contents, blobs } = await sampleContents(folder.path);
    const written = await writeBundle(data.bundles, contents, blobs);
    bundle = written.id;
    using records = await RecordStore.open(data.database);
    for (const record of RECORDS) {
      const isSecond = record.id.startsWith("r1aab");
      await records.put(isSecond ? { ...record, bundle, steps: 2 } : record);
    }
  });
  after(async () => {
    await execa("chmod", ["-R", "u+w", folder.path]);
    await folder[Symbol.asyncDispose]();
  });

  const cloche = (...args: string[]) =>
    runCloche(args, { env: { CLOCHE_DATA: join(folder.path, "data") } });

  for (const [filters, numbers] of [
    [[], [4, 3, 2, 1]],
    [
      ["--since", "2026-03-02"],
      [4, 3, 2],
    ],
    [["--until", "2026-03-02T09:00:00Z"], [1]],
    [
      ["--since", "2026-03-02", "--until", "2026-03-04"],
      [3, 2],
    ],
    [
      ["--outcome", "graded"],
      [3, 2],
    ],
    [["--outcome", "none"], [1]],
    [["--task", "desk/other"], [4]],
    [["--split", "holdout"], [2]],
    [["--min-reward", "1"], [2]],
    [["--max-reward", "0.5"], [3]],
    [["--min-reward", "0", "--max-reward", "1", "--split", "train"], [3]],
    [
      ["--id", "r1aa"],
      [2, 1],
    ],
    [["--task", "no/where"], []],
  ] as const) {
    it(`list ${filters.join(" ")} has rollouts ${numbers.join(", ") || "none"}`, async () => {
      const { code, out } = await cloche("list", "--json", ...filters);
      assert.equal(code, 0);
      const ids = JSON.parse(out).rollouts.map(({ id }: RolloutRecord) => Number(id.slice(-1)));
      assert.deepEqual(ids, numbers);
    });
  }

  it("list goes on where a page ended, and is a table for a person", async () => {
    const first = JSON.parse((await cloche("list", "--json", "--limit", "3")).out);
    const rest = await cloche("list", "--json", "--cursor", first.next);
    assert.deepEqual([first.rollouts.length, JSON.parse(rest.out).rollouts.length], [3, 1]);
    const { out } = await cloche("list");
    assert.match(out, /^rollout +requested +task +split +policy +outcome +reward\n/);
    assert.match(
      out,
      /r1ccc\S+ +2026-03-04T09:00:00 +desk\/other#1 +train +oracle +infra_error +null/,
    );
    assert.match(out, /r1aaa\S+ .* \(requested\) +null/);
  });

  it("list refuses a filter that is none, by the option's name", async () => {
    for (const [option, value, what] of [
      ["--since", "yesterday", /--since: must be an instant/],
      ["--outcome", "good", /--outcome: /],
      ["--split", "test", /--split: /],
      ["--min-reward", "2", /--min-reward: must be a number/],
      ["--limit", "0", /--limit: must be from 1 to 1000/],
    ] as const) {
      const { code, err } = await cloche("list", option, value);
      assert.equal(code, 2);
      assert.match(err, /^error cli\/bad-option: /);
      assert.match(err, what);
    }
  });

  it("show takes the first letters of a rollout's or a bundle's id, and a bundle's path", async () => {
    for (const text of ["r1aab", "r1aab000000000000002", bundle.slice(0, 6), bundle]) {
      const { code, out } = await cloche("show", text, "--json");
      assert.equal(code, 0, text);
      const shown = JSON.parse(out);
      assert.equal(shown.id, "r1aab000000000000002", text);
      assert.equal(shown.steps.length, 2);
      assert.equal(shown.bundle, join(folder.path, "data", "bundles", bundle));
    }
    const path = join(folder.path, "data", "bundles", bundle);
    assert.equal(JSON.parse((await cloche("show", path, "--json")).out).id, bundle);
    const { out } = await cloche("show", "r1bbb");
    assert.match(out, /^rollout r1bbb.*\ntask +desk\/count-lines, variant 1 \(train\).*\n/);
    assert.match(out, /outcome graded.*dense +0\.50/s);
  });

  it("show names those that an id could mean, and says when there is none", async () => {
    const { code, err } = await cloche("show", "r1");
    assert.equal(code, 2);
    assert.match(
      err,
      /^error cli\/ambiguous-id: "r1" fits several rollouts, r1aaa.*r1aab.*more letters/,
    );
    for (const text of ["r9zzz", "", "x"]) {
      const none = await cloche("show", text);
      assert.equal(none.code, 2, text);
      assert.match(none.err, /^error store\/bundle-missing: /, text);
    }
  });
});

describe("the words of a command", () => {
  it("--version is that of package.json", async () => {
    const { code, out } = await runCloche(["--version"]);
    const { version } = JSON.parse(
      await readFile(new URL("../../package.json", import.meta.url), "utf8"),
    );
    assert.deepEqual([code, out, VERSION], [0, `${version}\n`, version]);
  });

  for (const [words, code, near] of [
    [["rnu", "a/b"], "cli/unknown-command", '"run"'],
    [["task", "lst"], "cli/unknown-command", '"list"'],
    [["run", "a/b", "--polcy", "null"], "cli/unknown-option", '"--policy"'],
    [["list", "--sinse", "2026-01-01"], "cli/unknown-option", '"--since"'],
    [["--versoin"], "cli/unknown-option", '"--version"'],
  ] as const) {
    it(`${words.join(" ")} is refused with ${near}`, async () => {
      const { code: exit, out, err } = await runCloche([...words]);
      assert.deepEqual([exit, out], [2, ""]);
      assert.ok(err.startsWith(`error ${code}: `), err);
      assert.ok(err.includes(`did you mean ${near}`), err);
      assert.equal(err.split("\n").length, 2, err);
    });
  }

  it("that are wrong in another way are one line of the same style, and one document", async () => {
    for (const words of [
      ["run"],
      ["serve", "--port"],
      ["serve", "--port", "x"],
      ["tools", "--format", "yaml"],
      ["completion", "tcsh"],
      ["doctor", "more", "words"],
    ]) {
      const { code, err } = await runCloche(words);
      assert.equal(code, 2, words.join(" "));
      assert.match(err, /^error cli\/bad-option: .*\n$/, words.join(" "));
      const { out } = await runCloche([...words, "--json"]);
      const { fault } = JSON.parse(out);
      assert.ok(["cli/bad-option", "cli/unknown-option"].includes(fault.code), words.join(" "));
    }
  });
});

describe("completion", () => {
  let script: string;
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  before(async () => {
    folder = await tempFolder();
    const { code, out } = await runCloche(["completion", "bash"]);
    assert.equal(code, 0);
    script = join(folder.path, "cloche.bash");
    await writeFile(`${script}.new`, out);
    await rename(`${script}.new`, script);
  });
  after(() => folder[Symbol.asyncDispose]());

  for (const [line, wanted] of [
    ["cloche ta", ["task"]],
    ["cloche task pr", ["prove"]],
    ["./cloche.mjs task ch", ["check"]],
    ["cloche run library/catalogue-update --pol", ["--policy"]],
    ["cloche run x --reward ", ["sparse", "dense", "gain"]],
    ["cloche list --s", ["--split", "--since"]],
    ["cloche completion ", ["bash", "zsh", "fish", "--help"]],
    ["cloche nothing-of-ours zzz", []],
  ] as const) {
    it(`in bash: ${line}<Tab>`, async () => {
      const words = line.split(" ");
      const quoted = words.map((word) => `'${word}'`).join(" ");
      const ask = `source ${script}; complete -p cloche cloche.mjs >/dev/null || exit 3
        COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _cloche; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await execa("bash", ["--norc", "-c", ask]);
      const given = stdout.split("\n").filter(Boolean);
      assert.deepEqual(given.sort(), [...wanted].sort());
    });
  }

  for (const [shell, ask, wanted] of [
    [
      "fish",
      'source "$FILE"; for line in "cloche task pr" "cloche run x --pol" "./cloche.mjs completion f"; ' +
        'complete -C"$line" | string split -f 1 \\t; end',
      ["prove", "--policy", "fish"],
    ],
    [
      "zsh",
      'source "$FILE"; print -l -- $_comps[cloche] $_comps[cloche.mjs]',
      ["_bash_complete -o default -F _cloche", "_bash_complete -o default -F _cloche"],
    ],
  ] as const) {
    it(`for ${shell} is a program that completes there`, async (t) => {
      const { code, out } = await runCloche(["completion", shell]);
      assert.equal(code, 0);
      const file = join(folder.path, `cloche.${shell}`);
      await writeFile(file, out);
      const env = { FILE: file, HOME: folder.path };
      const bare = shell === "zsh" ? ["-f"] : ["--no-config"];
      const asked = await execa(shell, [...bare, "-c", ask], { env, reject: false });
      if (asked.failed && asked.exitCode === undefined) return t.skip(`there is no ${shell} here`);
      assert.deepEqual(asked.stdout.split("\n"), wanted, asked.stderr);
    });
  }
});

function ended(changes: Partial<RolloutRecord>): RolloutRecord {
  return sampleRecord({
    phase: "stored",
    outcome: "graded",
    reward: REWARD,
    endedAt: "2026-03-05T00:00:00.000Z",
    ...changes,
  });
}
