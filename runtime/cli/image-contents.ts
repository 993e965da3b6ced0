import { createHash } from "node:crypto";
import { namedId } from "../base/id.ts";
import { processIdentity } from "../base/process-identity.ts";
import type { Box, Engine, SandboxSpec } from "../engine/engine.ts";
import type { ImageInfo } from "../engine/image-store.ts";
import type { ImageContents } from "../image/sbom.ts";
import { TarReader } from "../workspace/tar-reader.ts";

const MIB = 1024 * 1024;
const HOLD_MS = 10 * 60_000;
/** Where images keep what is ours. */
const OWN_FOLDERS = ["/opt/cloche", "/usr/lib/python3/dist-packages/cloche"];
const COMPILED = /\/__pycache__\//;

/** Reads an image through a sealed box of it. Leaves nothing behind. Rejects as `Engine.create`. */
export async function imageContents(
  engine: Engine,
  image: ImageInfo,
  owner: string,
): Promise<ImageContents> {
  await using sandbox = await engine.create(specOf(image.reference, owner));
  const { reference, id, created } = image;
  const status = await filesAt(sandbox, "/var/lib/dpkg/status", true);
  const own = await Promise.all(OWN_FOLDERS.map((path) => ownFiles(sandbox, path)));
  return {
    ...{ reference, id, created },
    dpkgStatus: status[0]?.text ?? "",
    nodeVersion: await nodeVersion(sandbox),
    files: own.flat().sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

function specOf(image: string, owner: string): SandboxSpec {
  const id = namedId("sbom");
  const expires = new Date(Date.now() + HOLD_MS);
  return {
    ...{ id, image, users: ["reader"] },
    labels: { owner, rollout: id, process: processIdentity(), expires },
    workspace: { path: "/workspace", owner: "reader", bytes: MIB, files: 16 },
    limits: {
      ...{ memoryBytes: 256 * MIB, processes: 64, cpus: 1 },
      ...{ tmpBytes: MIB, fileBytes: MIB, openFiles: 256 },
    },
  };
}

async function ownFiles(box: Box, folder: string): Promise<ImageContents["files"]> {
  const found = await box
    .exec(["/bin/test", "-d", folder], { user: "reader" })
    .then(({ exitCode }) => exitCode === 0);
  if (!found) return [];
  const parent = folder.slice(0, folder.lastIndexOf("/"));
  const files = await filesAt(box, folder, false);
  return files
    .filter(({ name }) => !COMPILED.test(name))
    .map(({ name, sha256 }) => ({ path: `${parent}/${name}`, sha256 }));
}

interface ReadFile {
  /** Below the folder that holds what was asked for. */
  readonly name: string;
  readonly sha256: string;
  readonly text: string;
}

async function filesAt(box: Box, path: string, withText: boolean): Promise<ReadFile[]> {
  const reader = new TarReader(await box.getArchive(path));
  const files: ReadFile[] = [];
  for (;;) {
    const header = await reader.next();
    if (header === undefined) return files;
    if (header.type !== "0") continue;
    const hash = createHash("sha256");
    const pieces: Buffer[] = [];
    for await (const chunk of reader.chunks()) {
      hash.update(chunk);
      if (withText) pieces.push(chunk);
    }
    const text = Buffer.concat(pieces).toString("utf8");
    files.push({ name: header.name.toString("utf8"), sha256: hash.digest("hex"), text });
  }
}

async function nodeVersion(box: Box): Promise<string | undefined> {
  const node = "/usr/local/bin/node";
  const there = await box.exec(["/bin/test", "-x", node], { user: "reader" });
  if (there.exitCode !== 0) return undefined;
  const { stdout } = await box.exec([node, "--version"], { user: "reader" });
  return stdout.toString("utf8").trim().replace(/^v/, "");
}
