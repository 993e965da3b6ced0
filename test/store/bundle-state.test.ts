import assert from "node:assert/strict";
import { test } from "node:test";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import type { Manifest } from "../../runtime/store/manifest.ts";
import { blobPath, copyOf, refused, writtenBundle } from "./bundle-folders.ts";
import { Forge } from "./forge.ts";

/** Forgeries of the services' state that make every hash right again. */
const FORGED: Readonly<Record<string, readonly [(forge: Forge) => void, RegExp]>> = {
  "state without what it was before": [
    (forge) => forge.remove("state/before.json"),
    /manifest\.json does not list state\/before\.json/,
  ],
  "state without what it was in the end": [
    (forge) => forge.remove("state/after.json"),
    /manifest\.json does not list state\/after\.json/,
  ],
  "state without its difference": [
    (forge) => forge.remove("state/diff.json"),
    /manifest\.json does not list state\/diff\.json/,
  ],
  "a difference that is not that of the state": [
    (forge) => forge.write("state/diff.json", forge.read("workspace/diff.json")),
    /state\/diff\.json is not the difference/,
  ],
  "state that is no snapshot": [
    (forge) => forge.write("state/after.json", "{}"),
    /state\/after\.json is no snapshot/,
  ],
  "state whose content is missing": [
    (forge) => forge.remove(blobPath("sent")),
    /blob [0-9a-f]{64} must have 4 bytes for the file "mail\/2"; it is missing/,
  ],
  "a part that no state has": [
    (forge) => forge.write("state/mail", ""),
    /manifest\.json lists "state\/mail", which no bundle has/,
  ],
  "state of a rollout that had no room for any": [
    (forge) => forge.manifest((manifest) => withoutRoom(manifest)),
    /manifest\.json lists state, but its limits have no room for it/,
  ],
  "no state of a rollout that had room for some": [
    (forge) => {
      for (const part of ["before", "after", "diff"]) forge.remove(`state/${part}.json`);
      forge.remove(blobPath("sent"));
    },
    /manifest\.json lists no state/,
  ],
};

for (const [title, [forgery, message]] of Object.entries(FORGED)) {
  test(`${title} is refused although every hash is right`, async (context) => {
    const { path } = await writtenBundle(context, true);
    const root = copyOf(context, path, "forged");
    const forge = new Forge(root);
    forgery(forge);
    forge.seal();
    assert.match((await refused(root)).message, message);
  });
}

test("the services' state is in the bundle, its contents shared with the workspace's", async (context) => {
  const { path, id, again } = await writtenBundle(context, true);
  const bundle = await openBundle(path);
  const files = bundle.state?.after.entries.filter(({ type }) => type === "file");
  assert.deepEqual(
    files?.map((file) => file.path),
    ["mail/1", "mail/2"],
  );
  const blobs = bundle.manifest.parts.filter(({ path: part }) => part.startsWith("blobs/"));
  assert.equal(blobs.filter((part) => part.path === blobPath("kept")).length, 1);
  assert.equal((await again()).id, id);
});

test("state of what was not captured is refused", async (context) => {
  const { path } = await writtenBundle(context, true);
  const root = copyOf(context, path, "forged");
  const forge = new Forge(root);
  for (const part of ["workspace/after.json", "workspace/diff.json", "grade.json"]) {
    forge.remove(part);
  }
  forge.manifest(({ marks: _marks, ...rest }) => ({ ...rest, outcome: "cancelled" }));
  forge.seal();
  assert.match((await refused(root)).message, /lists state, but no workspace was captured with it/);
});

test("a bundle without state has no room for any and says undefined", async (context) => {
  const { path } = await writtenBundle(context);
  const { state, manifest } = await openBundle(path);
  assert.equal(state, undefined);
  assert(!("stateBytes" in manifest.limits));
});

function withoutRoom(manifest: Manifest): Manifest {
  const { stateBytes: _bytes, stateFiles: _files, ...limits } = manifest.limits;
  return { ...manifest, limits };
}
