import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Sandbox } from "../runtime/engine/engine.ts";
import { BlobFolder } from "../runtime/workspace/blobs.ts";
import { captureWorkspace } from "../runtime/workspace/seed.ts";
import { benchFault } from "./faults.ts";
import { type Samples, timed } from "./figures.ts";
import type { Served } from "./served.ts";
import { turns } from "./turns.ts";
import type { World } from "./world.ts";

const COUNTS = { usual: [1_000, 9_800], quick: [300] } as const;

/**
 * The end of a rollout whose agent left many small files, no two alike: what the capture takes, and
 * all from `finish` to the record, beside the system's `tar` that unpacks the same archive of the
 * engine's into a folder on the same disk.
 */
export async function benchFiles(world: World): Promise<readonly Samples[]> {
  const { quick, rounds } = world.options;
  await using served = await world.serve({ pool: 0, maxOpen: 2 });
  const samples: Samples[] = [];
  for (const count of COUNTS[quick ? "quick" : "usual"]) {
    await using sandbox = await world.createSandbox();
    await sandbox.exec(["/bin/bash", "-c", making(count)], { user: "agent", cwd: "/workspace" });
    await sandbox.stop();
    const times = { tar: [] as number[], capture: [] as number[], finish: [] as number[] };
    for (const _ of turns(world, `files ${count}`, quick ? 1 : Math.min(5, rounds))) {
      times.tar.push(await within(world, (folder) => unpacked(sandbox, folder)));
      times.capture.push(await within(world, (folder) => captured(sandbox, folder, count, world)));
      times.finish.push(await finished(served, count));
    }
    const [anchor, of] = [`files.tar-${count}`, `of ${count.toLocaleString("en")} files`];
    samples.push(
      { name: anchor, what: `tar -x of the engine's archive ${of}`, unit: "ms", values: times.tar },
      {
        ...{ name: `files.capture-${count}`, what: `the capture ${of}`, unit: "ms", anchor },
        values: times.capture,
      },
      {
        ...{ name: `files.finish-${count}`, what: `finish until the record ${of}`, unit: "ms" },
        ...{ anchor, values: times.finish },
      },
    );
  }
  return samples;
}

function making(count: number): string {
  return `mkdir many && cd many && for i in $(seq ${count}); do echo "file $i of many" > $i.txt; done`;
}

/** How long the work takes in an empty folder on the disk of the data, which goes afterwards. */
async function within(
  { folder }: World,
  work: (folder: string) => Promise<unknown>,
): Promise<number> {
  const place = join(folder, "files");
  await mkdir(place);
  try {
    return await timed(() => work(place));
  } finally {
    await rm(place, { recursive: true });
  }
}

async function unpacked(sandbox: Sandbox, folder: string): Promise<void> {
  const tar = spawn("tar", ["-x", "-C", folder], { stdio: ["pipe", "ignore", "ignore"] });
  const ended = once(tar, "close");
  await pipeline(await sandbox.readWorkspace(), tar.stdin);
  const [code] = await ended;
  if (code !== 0) throw benchFault("failed", `tar ended with exit code ${code}`);
}

async function captured(
  sandbox: Sandbox,
  folder: string,
  count: number,
  { signal }: World,
): Promise<void> {
  const blobs = new BlobFolder(folder, { given: true });
  const limits = { bytes: 2 ** 30, files: 2 * count };
  const { entries } = await captureWorkspace(sandbox, blobs, limits, signal);
  if (entries.length <= count)
    throw benchFault("failed", `${entries.length} entries were captured`);
}

async function finished(served: Served, count: number): Promise<number> {
  const rollout = await served.open();
  await served.http.ask(`${served.url}/v1/rollouts/${rollout.id}/tools/run_command`, {
    method: "POST",
    body: { arguments: { command: making(count) } },
  });
  return await timed(() => served.finish(rollout));
}
