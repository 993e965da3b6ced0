import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sha256 } from "../../runtime/base/hash.ts";
import { namedId } from "../../runtime/base/id.ts";
import { imageContents } from "../../runtime/cli/image-contents.ts";
import { openEngine } from "../../runtime/engine/engines.ts";
import { imageReferences } from "../../runtime/image/definitions.ts";
import { type Component, debianComponents, type Sbom, sbomOf } from "../../runtime/image/sbom.ts";

const STATUS = `Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b7

Package: gone
Status: deinstall ok config-files
Version: 1.0

Package: libx++
Status: install ok installed
Architecture: all
Version: 1:2.0~rc1
Description: continues
 Version: 9
`;

const CONTENTS = {
  reference: "cloche/office:0123456789abcdef",
  id: `sha256:${"a".repeat(64)}`,
  created: new Date("2026-03-02T09:00:00Z"),
  dpkgStatus: STATUS,
  nodeVersion: "24.21.0",
  files: [{ path: "/opt/cloche/servers/office.mjs", sha256: sha256("x") }],
};

describe("the list of an image's contents", () => {
  it("leaves out Debian packages that are not installed, and keeps epochs and signs", () => {
    const found = debianComponents(STATUS).map(({ purl }) => purl);
    assert.deepEqual(found, [
      "pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=bookworm",
      "pkg:deb/debian/libx%2B%2B@1%3A2.0~rc1?arch=all&distro=bookworm",
    ]);
  });

  it("is a CycloneDX 1.6 document, the same each time", async () => {
    const grader = { ...CONTENTS, reference: "cloche/grader:0123456789abcdef" };
    const once = await sbomOf(grader);
    assertCycloneDx(once);
    assert.deepEqual(await sbomOf(grader), once);
    const other = await sbomOf({ ...grader, nodeVersion: "24.21.1" });
    assert.notEqual(other.serialNumber, once.serialNumber);
  });

  it("names every npm package of the servers with its pinned version, hash and licence", async () => {
    const document = await sbomOf(CONTENTS);
    assertCycloneDx(document);
    const { components } = document;
    const npm = components.filter(({ purl = "" }) => purl.startsWith("pkg:npm/"));
    assert.ok(npm.length > 20, String(npm.length));
    for (const { name, version, hashes, licenses } of npm) {
      assert.ok(version && hashes?.[0]?.alg === "SHA-512" && licenses?.length === 1, name);
    }
    assert.ok(npm.some(({ name }) => name === "@modelcontextprotocol/server"));
  });

  it("of a real image has what dpkg and our own folder have", async () => {
    await using engine = await openEngine("docker", { env: process.env });
    const image = await engine.images.find(imageReferences().grader);
    assert.ok(image, "build the images first: ./cloche.mjs images build");
    const owner = namedId("test-sbom");
    const document = await sbomOf(await imageContents(engine, image, owner));
    assert.deepEqual(await engine.find(owner), []);
    assertCycloneDx(document);
    const names = new Set(document.components.map(({ name }) => name));
    for (const name of ["python3-defusedxml", "python3-openpyxl", "libc6"])
      assert.ok(names.has(name));
    assert.ok(names.has("/usr/lib/python3/dist-packages/cloche/run_grader.py"));
  });
});

/** What the schema of CycloneDX 1.6 requires of the parts that we use. */
function assertCycloneDx(document: Sbom): void {
  assert.equal(document.bomFormat, "CycloneDX");
  assert.equal(document.specVersion, "1.6");
  assert.match(
    document.serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.equal(document.version, 1);
  assert.ok(!Number.isNaN(Date.parse(document.metadata.timestamp)));
  const { component, tools } = document.metadata;
  const all = [component, ...tools.components, ...document.components];
  for (const one of all) assertComponent(one);
  const refs = all.flatMap((one) => one["bom-ref"] ?? []);
  assert.equal(new Set(refs).size, refs.length, "a bom-ref is there twice");
}

const MEMBERS = ["type", "bom-ref", "name", "version", "purl", "hashes", "licenses"];

function assertComponent(one: Component): void {
  assert.ok(["application", "container", "file", "library"].includes(one.type));
  assert.ok(one.name !== "");
  assert.deepEqual(
    Object.keys(one).filter((key) => !MEMBERS.includes(key)),
    [],
  );
  if (one.purl !== undefined)
    assert.match(one.purl, /^pkg:(deb\/debian|npm|generic)\/[^\s]+@[^\s]+$/);
  for (const { alg, content } of one.hashes ?? []) {
    assert.match(content, alg === "SHA-256" ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{128}$/);
  }
  // Either licences, or one expression.
  for (const licence of one.licenses ?? []) {
    if ("expression" in licence) assert.equal(one.licenses?.length, 1);
    else assert.equal(Object.values(licence.license).filter((text) => text !== "").length, 1);
  }
}
