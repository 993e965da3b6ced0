import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { faultOf, tarOf } from "../../support/engine.ts";
import type { ContractBody } from "../engine.ts";

/** What boxes are made from. A store that cannot build declines the sentences with "built". */
export const imagesContract: Readonly<Record<string, ContractBody>> = {
  "an image that is not there is not found, and its removal is no error": async ({ engine }) => {
    assert.equal(await engine.images.find("cloche/no-such-image:1"), undefined);
    await engine.images.remove("cloche/no-such-image:1");
  },

  "what is no root file system is not imported": async ({ engine, newReference }) => {
    const reference = newReference();
    const noise = Readable.from([Buffer.alloc(4_096, "x")], { objectMode: false });
    const work = engine.images.importRootfs(noise, reference);
    await faultOf(work, "engine/image-build-failed");
    assert.equal(await engine.images.find(reference), undefined);
  },

  "an imported root file system is found, listed and removed": async ({ engine, newReference }) => {
    const reference = newReference();
    const labels = { "cloche.image": "test", note: 'says "hello" = $HOME' };
    const tar = tarOf([
      { name: "etc", type: "directory" },
      { name: "etc/x", content: "y" },
    ]);
    const made = await engine.images.importRootfs(tar, reference, { labels });
    assert.deepEqual(made.labels, labels);
    assert.match(made.id, /^sha256:[0-9a-f]{64}$/);
    const listed = (await engine.images.list()).find((image) => image.reference === reference);
    assert.equal(listed?.id, made.id);
    assert.deepEqual(await engine.images.find(reference), made);
    await engine.images.remove(reference);
    assert.equal(await engine.images.find(reference), undefined);
  },

  "an image is built from a context, with its output line by line": async ({
    engine,
    image,
    newReference,
  }) => {
    const reference = newReference();
    const lines: string[] = [];
    const recipe = `FROM ${image}\nARG WORD\nCOPY f /f\nRUN echo "word is $WORD, file is $(cat /f)"\n`;
    const info = await engine.images.build(context(recipe), reference, {
      labels: { "cloche.image": "test" },
      buildArgs: { WORD: "grüß" },
      onLine: (line) => lines.push(line),
    });
    assert(lines.includes("word is grüß, file is content"), lines.join("\n"));
    assert.equal(info.labels["cloche.image"], "test");
    await engine.images.remove(reference);
  },

  "an image that cannot be built says at which step and why": async ({
    engine,
    image,
    newReference,
  }) => {
    const reference = newReference();
    const recipe = `FROM ${image}\nRUN echo about to fail && exit 9\n`;
    const fault = await faultOf(
      engine.images.build(context(recipe), reference),
      "engine/image-build-failed",
    );
    assert.match(fault.message, /RUN echo about to fail/);
    assert.match(fault.message, /\nabout to fail/);
    assert.match(fault.message, /9/);
    const odd = engine.images.build(context("FROM scratch\nFLY me\n"), reference);
    await faultOf(odd, "engine/image-build-failed");
    assert.equal(await engine.images.find(reference), undefined);
  },

  "an image built for nobody in the end is not built": async ({ engine, image, newReference }) => {
    const reference = newReference();
    const reason = new Error("never mind");
    const caller = new AbortController();
    const work = engine.images.build(context(`FROM ${image}\nRUN sleep 60\n`), reference, {
      signal: caller.signal,
      onLine: (line) => void (/RUN sleep/.test(line) && caller.abort(reason)),
    });
    await assert.rejects(work, (error) => error === reason);
    assert.equal(await engine.images.find(reference), undefined);
  },

  "an image that a sandbox is made from cannot be removed": async ({
    engine,
    image,
    fresh,
    newReference,
  }) => {
    const reference = newReference();
    const recipe = `FROM ${image}\nLABEL only=here\n`;
    await engine.images.build(context(recipe), reference, { labels: { "cloche.image": "test" } });
    const box = await fresh({ image: reference });
    await faultOf(engine.images.remove(reference), "engine/image-in-use");
    await box[Symbol.asyncDispose]();
    await engine.images.remove(reference);
    assert.equal(await engine.images.find(reference), undefined);
  },
};

function context(recipe: string): Readable {
  return tarOf([
    { name: "Dockerfile", content: recipe },
    { name: "f", content: "content" },
  ]);
}
