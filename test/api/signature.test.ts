import assert from "node:assert/strict";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { newSigningPair, openSigner, openVerifier } from "../../runtime/store/signature.ts";
import { checkRegrade, verifyBundle } from "../../runtime/store/verify-bundle.ts";
import { entriesOf, tarOf } from "../support/engine.ts";
import { type Answer, openTestApi, type TestApi } from "./test-api.ts";

const PAIR = newSigningPair();
const VERIFIER = openVerifier(PAIR.publicPem);
const TAR = { "content-type": "application/x-tar" };

describe("a service with a signing key", () => {
  let api: TestApi;
  let id: string;
  let path: string;
  before(async () => {
    api = await openTestApi({ signer: openSigner(PAIR.privatePem) });
    id = await api.serving();
    await api.ask("POST", `/v1/rollouts/${id}/finish`);
    const { record } = (await api.ask("GET", `/v1/rollouts/${id}`)).json;
    path = join(api.runtime.data.bundles, record.bundle);
  });
  after(() => api[Symbol.asyncDispose]());

  const archive = async () => {
    const headers = { authorization: "Bearer key-of-mine" };
    const response = await api.app.request(`/v1/rollouts/${id}/bundle`, { headers });
    return Buffer.from(await response.arrayBuffer());
  };
  const regradeOf = ({ json: { bundle, grade, signature } }: Answer) =>
    ({ schema: "cloche.regrade/1", bundle, grade, signature }) as const;

  it("signs its bundles, in the archive too", async () => {
    assert.equal((await verifyBundle(path, VERIFIER)).signature?.key, PAIR.key);
    const names = (await entriesOf(Readable.from(await archive()))).map(({ name }) => name);
    assert.ok(names.some((name) => name.endsWith("/manifest.sig")));
  });

  it("signs what it grades again, bound to the bundle", async () => {
    const bundle = await openBundle(path);
    const stored = await api.ask("POST", "/v1/grade", { json: { rollout: id } });
    checkRegrade(bundle, regradeOf(stored), VERIFIER);
    const uploaded = await api.ask("POST", "/v1/grade", { headers: TAR, raw: await archive() });
    assert.deepEqual(uploaded.json, stored.json);
  });

  it("grades an upload that it did not sign, but vouches for nothing", async () => {
    const entries = await entriesOf(Readable.from(await archive()));
    const unsigned = entries.filter(({ name }) => !name.endsWith("/manifest.sig"));
    const plain = unsigned.map(({ name, content }) => ({ name, content }));
    const raw = Buffer.concat(await Array.fromAsync(tarOf(plain)));
    const { status, json, text } = await api.ask("POST", "/v1/grade", { headers: TAR, raw });
    assert.equal(status, 200, text);
    assert.equal(json.signature, null);
  });
});
