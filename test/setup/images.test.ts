import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import { processIdentity } from "../../runtime/base/process-identity.ts";
import { ensureImages } from "../../runtime/cli/set-up/ensure-images.ts";
import { requireImages } from "../../runtime/cli/set-up/require-images.ts";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import { openEngine } from "../../runtime/engine/engines.ts";
import { imageReferences, nodeVersion } from "../../runtime/image/definitions.ts";

const MB = 2 ** 20;
const LIMITS = {
  memoryBytes: 512 * MB,
  processes: 64,
  cpus: 1,
  tmpBytes: 16 * MB,
  fileBytes: 64 * MB,
  openFiles: 256,
};

describe("our images", () => {
  let engine: Engine;
  let sandbox: Sandbox;

  before(async () => {
    engine = await openEngine("docker", { env: process.env });
    const images = await ensureImages(engine);
    const volume = { owner: "agent", bytes: 16 * MB, files: 1000 };
    sandbox = await engine.create({
      id: namedId("images"),
      labels: {
        owner: "test-images",
        rollout: "images",
        expires: new Date(Date.now() + 300_000),
        process: processIdentity(),
      },
      image: images["office-browser"],
      users: ["agent", "state"],
      workspace: { ...volume, path: "/workspace" },
      limits: LIMITS,
      keeper: {
        image: images.grader,
        users: ["grader"],
        scratch: { ...volume, owner: "grader", path: "/grade" },
        limits: LIMITS,
      },
    });
  });

  after(async () => {
    await sandbox?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });

  it("are asked for by name when one is missing, with what to do", async () => {
    const env = { CLOCHE_BASE_IMAGE: "no-such-image" };
    await assert.rejects(requireImages(engine, env), {
      code: "setup/image-missing",
      message: /cloche\/office:.* and cloche\/grader:.*npm run setup/,
    });
  });

  it("are not made when their base is not to be had, and the message says which base", async () => {
    const baseImage = "localhost:9/no-such-image:none";
    await assert.rejects(ensureImages(engine, { baseImage }), (error: Error) => {
      assert.match(error.message, /no-such-image/);
      return true;
    });
    for (const reference of Object.values(imageReferences({ baseImage }))) {
      assert.equal(await engine.images.find(reference), undefined, reference);
    }
  });

  it("are built once: asking again builds nothing and gives the same names", async () => {
    const made = await created();
    assert.deepEqual(await ensureImages(engine), imageReferences());
    assert.deepEqual(await created(), made);
    const { base: _, ...images } = imageReferences();
    assert.deepEqual((await requireImages(engine, {}, "office-browser")).images, images);
  });

  it("hold no program that changes its user, no machine's identity and no package lists", async () => {
    const script = `
      find / -xdev -type f -perm /6000 2>/dev/null
      ls /etc/machine-id /var/lib/apt/lists/*_Packages* /var/cache/apt/archives/*.deb 2>/dev/null
      true`;
    for (const text of await both(script)) assert.equal(text, "");
  });

  it("have every mount point, since a read-only root cannot get one later", async () => {
    const script = "stat -c '%n %A' /workspace /grade /play /state /home/agent /var/lib/extrausers";
    for (const text of await both(script)) assert.equal(text.trim().split("\n").length, 6);
  });

  it("speak UTF-8 and UTC, and look users up where the engine writes them", async () => {
    for (const text of await both("locale charmap; date +%Z; grep ^passwd: /etc/nsswitch.conf")) {
      assert.equal(text, "UTF-8\nUTC\npasswd: files extrausers\n");
    }
  });

  it("give the agent Node, Python with its libraries and the usual tools", async () => {
    const script = `
      node --version
      python3 -c 'import openpyxl, docx, icalendar, defusedxml'
      for tool in awk bc diff file git jq less patch pdftotext ps rg sqlite3 tree unzip zip; do
        command -v $tool >/dev/null || echo "no $tool"
      done
      git config --get safe.directory`;
    assert.equal(await inSandbox(script), `v${nodeVersion()}\n*\n`);
  });

  it("give the grader Python with its libraries and ours, compiled, and no Node on its path", async () => {
    const script = `
      python3 -P -s -B -c 'import openpyxl, docx, icalendar, defusedxml, reportlab, cloche
assert cloche.__cached__ and __import__("os").path.exists(cloche.__cached__)'
      command -v pdftotext node`;
    assert.equal(await inKeeper(script), "/usr/bin/pdftotext\n");
  });

  async function created(): Promise<string[]> {
    const { base: _, ...used } = imageReferences();
    const found = await Promise.all(Object.values(used).map((name) => engine.images.find(name)));
    return found.map((image) => `${image?.id} ${image?.created.toISOString()}`);
  }

  async function both(script: string): Promise<string[]> {
    return [await inSandbox(script), await inKeeper(script)];
  }

  async function inSandbox(script: string): Promise<string> {
    const { stdout, stderr } = await sandbox.exec(["/bin/sh", "-c", script], { user: "agent" });
    return stdout.toString() + stderr.toString();
  }

  async function inKeeper(script: string): Promise<string> {
    const result = await sandbox.keeper?.exec(["/bin/sh", "-c", script], { user: "grader" });
    return `${result?.stdout.toString()}${result?.stderr.toString()}`;
  }
});
