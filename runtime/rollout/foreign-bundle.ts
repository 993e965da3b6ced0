import { SANDBOX_IMAGES } from "../image/sandbox-image.ts";
import type { Bundle } from "../store/bundle.ts";
import type { RolloutLimits } from "../store/record.ts";
import { LEAST_LIMITS } from "../task/task.ts";
import type { Snapshot } from "../workspace/snapshot.ts";
import { rolloutFault } from "./faults.ts";
import type { RuntimeImages } from "./parts.ts";

const MIB = 2 ** 20;

/** The most that a bundle from elsewhere may have; a number above is lowered to this. */
export type ForeignLimits = Required<RolloutLimits>;

export const FOREIGN_LIMITS: ForeignLimits = {
  memoryBytes: 2048 * MIB,
  processes: 512,
  cpus: 2,
  tmpBytes: 256 * MIB,
  fileBytes: 512 * MIB,
  openFiles: 4096,
  workspaceBytes: 1024 * MIB,
  workspaceFiles: 50_000,
  stateBytes: 256 * MIB,
  stateFiles: 20_000,
};

/**
 * A bundle that somebody sent, as it may be graded here: whoever made it has chosen every word of its
 * manifest, and that decides neither which image is run nor how much of the machine is taken. The image
 * is one of `images`, limits are at most `most`.
 * @throws Fault `rollout/foreign-image` or `rollout/foreign-too-large`
 */
export function heldToOurs(
  bundle: Bundle,
  images: RuntimeImages,
  most: ForeignLimits = FOREIGN_LIMITS,
): Bundle {
  const { manifest } = bundle;
  const sandbox = ourImage(manifest.images.sandbox, images);
  const limits = within(manifest.limits, most);
  const workspaces = [bundle.before, ...(bundle.after ? [bundle.after] : [])];
  requireRoom("workspace", workspaces, {
    bytes: limits.workspaceBytes,
    files: limits.workspaceFiles,
  });
  if (bundle.state !== undefined) {
    const { before, after } = bundle.state;
    const room = { bytes: limits.stateBytes ?? 0, files: limits.stateFiles ?? 0 };
    requireRoom("state", [before, after], room);
  }
  return { ...bundle, manifest: { ...manifest, limits, images: { ...manifest.images, sandbox } } };
}

/** Of two releases the same image has two names, which differ after the colon. */
function ourImage(recorded: string, images: RuntimeImages): string {
  const ours = SANDBOX_IMAGES.find((name) => {
    return images[name] === recorded || recorded.startsWith(`cloche/${name}:`);
  });
  if (ours !== undefined) return images[ours];
  const known = SANDBOX_IMAGES.map((name) => images[name]).join(", ");
  const message =
    `the bundle names the image "${recorded.slice(0, 200)}", which is none of those that bundles ` +
    `from elsewhere are graded with here (${known})`;
  throw rolloutFault("foreign-image", message, { detail: { image: recorded.slice(0, 200) } });
}

/** Next to none of the processor is as bad as too much: an engine may take it for no limit at all. */
function within(limits: RolloutLimits, most: ForeignLimits): RolloutLimits {
  const names = Object.keys(limits) as (keyof RolloutLimits)[];
  const each = names.map((name) => {
    const least = LEAST_LIMITS[name] ?? 1;
    return [name, Math.max(least, Math.min(limits[name] ?? 0, most[name]))] as const;
  });
  return Object.fromEntries(each) as unknown as RolloutLimits;
}

interface Room {
  readonly bytes: number;
  readonly files: number;
}

function requireRoom(what: string, snapshots: readonly Snapshot[], room: Room): void {
  for (const { entries } of snapshots) {
    const bytes = entries.reduce((sum, entry) => {
      return sum + (entry.type === "file" ? entry.size : 0);
    }, 0);
    if (bytes <= room.bytes && entries.length <= room.files) continue;
    const message =
      `the bundle's ${what} has ${entries.length} files and ${bytes} bytes; of a bundle from ` +
      `elsewhere at most ${room.files} and ${room.bytes} are graded here`;
    throw rolloutFault("foreign-too-large", message, { detail: { what, most: room } });
  }
}
