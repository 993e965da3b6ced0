import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { imageChoice } from "../../runtime/cli/set-up/ensure-images.ts";
import { aptSources } from "../../runtime/image/apt-sources.ts";
import { imageReferences, rootFile } from "../../runtime/image/definitions.ts";
import { Lockfile } from "../../runtime/image/lockfile.ts";

describe("image references", () => {
  it("are the same for the same inputs and name the image and a hash", () => {
    const references = imageReferences();
    assert.deepEqual(imageReferences(), references);
    for (const [name, reference] of Object.entries(references)) {
      assert.match(reference, new RegExp(`^cloche/${name}:[0-9a-f]{16}$`));
    }
  });

  it("all change with the base image that somebody chose", () => {
    const own = imageReferences();
    const chosen = imageReferences(imageChoice({ CLOCHE_BASE_IMAGE: "debian:trixie" }));
    for (const name of ["base", "office", "office-browser", "grader"] as const) {
      assert.notEqual(chosen[name], own[name]);
    }
    assert.deepEqual(imageReferences(imageChoice({ CLOCHE_BASE_IMAGE: "" })), own);
  });
});

describe("the closure of a locked package", () => {
  it("is refused for a package that is not pinned", () => {
    const lock = new Lockfile(rootFile("package-lock.json"));
    assert.throws(() => lock.closure("no-such-package"), /pins no version of no-such-package/);
  });

  it("holds what Node would load: nested versions before outer ones, cycles once", () => {
    const folder = mkdtempSync(join(tmpdir(), "cloche-lock-"));
    const path = join(folder, "package-lock.json");
    const packages = {
      "node_modules/a": { version: "1.0.0", dependencies: { b: "^2", "@s/c": "^1" } },
      "node_modules/a/node_modules/b": { version: "2.0.0", dependencies: { a: "^1" } },
      "node_modules/b": { version: "1.0.0" },
      "node_modules/@s/c": { version: "1.1.0", optionalDependencies: { b: "^1", absent: "^1" } },
      "node_modules/other": { version: "9.0.0" },
    };
    writeFileSync(path, JSON.stringify({ packages }));
    assert.deepEqual(
      new Lockfile(path).closure("a").map((line) => line.trim()),
      [
        "node_modules/@s/c 1.1.0",
        "node_modules/a 1.0.0",
        "node_modules/a/node_modules/b 2.0.0",
        "node_modules/b 1.0.0",
      ],
    );
    rmSync(folder, { recursive: true });
  });
});

describe("the mirrors of Debian", () => {
  const oneLine = [
    "# deb http://commented.example/debian bookworm main",
    "deb [signed-by=/x.gpg arch=amd64] https://deb.example.net/node_20.x nodistro main",
    "deb https://near.example.net/debian/ bookworm main",
    "deb-src https://source.example.net/debian bookworm main",
  ].join("\n");
  const paragraph = "Types: deb\nURIs: https://near.example.net/debian-security\nSuites: x\n";

  it("are Debian's public ones on another distribution, whatever its lists say", () => {
    const osRelease = "NAME=Ubuntu\nID=ubuntu\nID_LIKE=debian\n";
    assert.equal(
      aptSources(osRelease, () => [oneLine, paragraph]),
      undefined,
    );
  });

  it("are Debian's public ones on a Debian whose lists do not name both", () => {
    assert.equal(
      aptSources("ID=debian\n", () => [oneLine]),
      undefined,
    );
  });

  it("are the host's on Debian, from both forms of list", () => {
    assert.deepEqual(
      aptSources('ID="debian"\n', () => [oneLine, paragraph]),
      {
        main: "https://near.example.net/debian/",
        security: "https://near.example.net/debian-security",
      },
    );
  });
});
