import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../runtime/base/hash.ts";
import type { Manifest } from "../../runtime/store/manifest.ts";
import { blobPath, copyOf, refused, writtenBundle } from "./bundle-folders.ts";
import { Forge } from "./forge.ts";
import { ROLLOUT, stepLines } from "./samples.ts";

/** Forgeries that make every hash right again: what the parts say must fit together too. */
const FORGED: Readonly<Record<string, readonly [(forge: Forge) => void, RegExp]>> = {
  "a reward that the criteria do not make": [
    (forge) => forge.grade((grade) => ({ ...grade, reward: { sparse: 1, dense: 0.5 } })),
    /grade\.json gives the reward .*its criteria make/,
  ],
  "a grade of version 1 with what only version 2 has": [
    (forge) =>
      forge.grade((grade) => ({
        ...grade,
        criteria: grade.criteria.map((one) => ({ ...one, polarity: "must" as const })),
      })),
    /grade\.json is no grade: criteria: must have polarity, cap, asks, baseline in version 2/,
  ],
  "a grade of version 2 without what it has": [
    (forge) => forge.grade((grade) => ({ ...grade, schema: "cloche.grade/2" })),
    /grade\.json is no grade: criteria: must have polarity, cap, asks, baseline in version 2/,
  ],
  "a grade with other criteria than declared": [
    (forge) =>
      forge.grade((grade) => ({ ...grade, criteria: [...grade.criteria, ...grade.criteria] })),
    /grade\.json judges other criteria/,
  ],
  "a grade of another task": [
    (forge) => forge.grade((grade) => ({ ...grade, task: "desk/other" })),
    /grade\.json is of desk\/other/,
  ],
  "a grade that is not canonical": [
    (forge) => forge.write("grade.json", ` ${forge.read("grade.json")}`),
    /grade\.json is not in canonical form/,
  ],
  "a grade with a member that no grade has": [
    (forge) => forge.grade((grade) => Object.assign({ extra: 1 }, grade)),
    /grade\.json is no grade: Unrecognized key/,
  ],
  "a graded rollout without its grade": [
    (forge) => forge.remove("grade.json"),
    /grade\.json is missing, but the outcome is graded/,
  ],
  "a graded rollout without its capture": [
    (forge) => {
      for (const part of ["after", "diff"]) forge.remove(`workspace/${part}.json`);
    },
    /workspace\/after\.json is missing, but there is a grade of it/,
  ],
  "a capture without its difference": [
    (forge) => forge.remove("workspace/diff.json"),
    /manifest\.json does not list workspace\/diff\.json/,
  ],
  "a step that was left out": [
    (forge) => forge.write("steps.jsonl", `${forge.read("steps.jsonl").split("\n")[1]}\n`),
    /steps\.jsonl line 1 is wrong: the chain is broken/,
  ],
  "steps of another rollout": [
    (forge) => forge.write("steps.jsonl", stepLines(2, { callId: "r9-1" })),
    /it is of the call "r9-1"/,
  ],
  "a step that is there twice": [
    (forge) => forge.write("steps.jsonl", stepLines(2, { step: 1, callId: `${ROLLOUT}-1` })),
    /line 2 is wrong: step 1 is there twice/,
  ],
  "fewer steps than the manifest says": [
    (forge) => forge.write("steps.jsonl", stepLines(1)),
    /steps\.jsonl has 1 lines; the manifest says 2/,
  ],
  "a last step that was cut": [
    (forge) => forge.write("steps.jsonl", stepLines(2).slice(0, -1)),
    /has no end: the file was cut/,
  ],
  "a diff that is not that of the snapshots": [
    (forge) =>
      forge.write("workspace/diff.json", forge.read("workspace/diff.json").replace("made", "maid")),
    /workspace\/diff\.json is not the difference/,
  ],
  "a snapshot with a path that climbs": [
    (forge) =>
      forge.write(
        "workspace/after.json",
        forge.read("workspace/after.json").replace("kept.txt", "../k.txt"),
      ),
    /workspace\/after\.json is no snapshot/,
  ],
  "a snapshot that says a thing twice": [
    (forge) => {
      const text = forge.read("workspace/after.json");
      forge.write("workspace/after.json", text.replace("{", '{"bytes":0,'));
    },
    /workspace\/after\.json is not in canonical form/,
  ],
  "a context nested deeper than anything can walk": [
    (forge) => forge.write("context.json", `${"[".repeat(1e6)}${"]".repeat(1e6)}`),
    /was altered: (?:context\.json|some part)/,
  ],
  "a blob that nothing needs": [
    (forge) => forge.write(blobPath("more"), "more"),
    /blob [0-9a-f]{64} is in no snapshot/,
  ],
  "a blob that is missing": [
    (forge) => forge.remove(blobPath("kept")),
    /blob [0-9a-f]{64} must have 4 bytes for the file "kept\.txt"; it is missing/,
  ],
  "a blob under another name": [
    (forge) => forge.write(blobPath("kept"), "tpek"),
    /is named [0-9a-f]{64} but listed with the hash/,
  ],
  "a part that no bundle has": [
    (forge) => forge.write("task/solution.sh", ""),
    /manifest\.json lists "task\/solution\.sh", which no bundle has/,
  ],
  "a part that climbs out": [
    (forge) => forge.manifest((manifest) => climbing(manifest)),
    /manifest\.json lists "\.\.\/x", which no bundle has/,
  ],
  "a part listed twice": [
    (forge) =>
      forge.manifest((manifest) => ({ ...manifest, parts: manifest.parts.flatMap((p) => [p, p]) })),
    /lists .* twice or out of order/,
  ],
  "a manifest without a grader": [
    (forge) => forge.remove("task/grader.py"),
    /manifest\.json does not list task\/grader\.py/,
  ],
  "a manifest with a member that no manifest has": [
    (forge) => forge.manifest((manifest) => Object.assign({ extra: 1 }, manifest)),
    /manifest\.json is no manifest: Unrecognized key/,
  ],
};

for (const [title, [forgery, message]] of Object.entries(FORGED)) {
  test(`${title} is refused although every hash is right`, async (context) => {
    const { path } = await writtenBundle(context);
    const root = copyOf(context, path, "forged");
    const forge = new Forge(root);
    forgery(forge);
    forge.seal();
    assert.match((await refused(root)).message, message);
  });
}

function climbing(manifest: Manifest): Manifest {
  const part = { path: "../x", bytes: 0, sha256: sha256("") };
  return { ...manifest, parts: [part, ...manifest.parts] };
}
