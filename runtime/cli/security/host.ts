import type { Isolation } from "../../engine/engine.ts";
import type { Property } from "../../engine/probe/golden.ts";
import type { ProbedKernel } from "../../engine/probe/run-probe.ts";

/** What could be better on this host, though sandboxes are what their profile says. */
export interface Warning {
  readonly what: string;
  readonly found: string;
  readonly remedy: string;
}

/** What only some hosts have: it must be in force where the engine says that it is there. */
export function hostProperties(isolation: Isolation, about: ProbedKernel): Property[] {
  return [
    appArmor(isolation, about),
    whereFound("user namespace", isolation.userNamespaces, about.userNamespace, {
      wanted: "ids that are others on the host",
      found: about.userNamespace ? "other ids" : "the host's ids",
      how: "/proc/self/uid_map",
    }),
    ...(isolation.profile === "strict" ? [landlock(about)] : []),
  ];
}

function landlock({ landlock: version, confined }: ProbedKernel): Property {
  return whereFound("servers closed in by Landlock", version > 0, confined, {
    wanted: "files are made below named folders alone",
    found: confined ? `in force (Landlock ${version})` : "files could be made elsewhere",
    how: "a program that named its folders wrote to others",
  });
}

/** From inside gVisor nobody sees what it runs under itself. */
function appArmor({ appArmor: there, runtime }: Isolation, about: ProbedKernel): Property {
  const name = about.appArmor;
  const isHidden = /runsc|gvisor/i.test(runtime);
  return whereFound("AppArmor", there && !isHidden, name !== "" && !/^unconfined/.test(name), {
    wanted: "a profile in force",
    found: name === "" ? "none" : name,
    how: "/proc/self/attr/current",
  });
}

function whereFound(
  property: string,
  isThere: boolean,
  isInForce: boolean,
  words: Pick<Property, "wanted" | "found" | "how">,
): Property {
  if (isThere) return { property, ...words, verdict: isInForce ? "as wanted" : "weaker" };
  return { property, ...words, wanted: "used where found: not found here", verdict: "as wanted" };
}

/** Says nothing about what is as good as it can be. */
export function hostWarnings(isolation: Isolation, landlock: number): Warning[] {
  const { cgroups, components, kernel } = isolation;
  const missing: readonly (readonly [boolean, Warning])[] = [
    [
      isolation.userNamespaces,
      {
        what: "user namespaces",
        found: "off: uid 0 of a container is uid 0 of the host (no program of a sandbox runs as 0)",
        remedy: 'set "userns-remap": "default" for the engine, on a machine of its own',
      },
    ],
    [
      isolation.appArmor,
      {
        what: "AppArmor",
        found: `not in this kernel (${kernel}), or the engine does not use it`,
        remedy: "boot with AppArmor among the security modules",
      },
    ],
    [
      cgroups === 2,
      {
        what: "cgroups",
        found: "version 1: limits hold, but a box that runs out of memory may live on in part",
        remedy: "boot with systemd.unified_cgroup_hierarchy=1",
      },
    ],
    [
      isolation.liveRestore,
      {
        what: "live-restore",
        found: "off: who restarts the engine ends all rollouts that are under way",
        remedy: 'set "live-restore": true for the engine',
      },
    ],
    [
      landlock > 0,
      {
        what: "Landlock",
        found: "programs in sandboxes cannot close themselves in further",
        remedy: "use Linux 5.13 or newer with Landlock among the security modules",
      },
    ],
  ];
  return [
    ...missing.flatMap(([isThere, warning]) => (isThere ? [] : [warning])),
    ...runcWarnings(components["runc"]),
  ];
}

interface Hole {
  readonly names: string;
  readonly needs: string;
  /** The first repaired version of each line; a line that is not named was never repaired. */
  readonly repaired: readonly string[];
  /** Distributions' versions that have the repair although their number is lower. */
  readonly backports?: RegExp;
}

const RUNC_HOLES: readonly Hole[] = [
  {
    names: "CVE-2024-21626",
    needs: "an image or a working directory that an attacker chose",
    repaired: ["1.1.12"],
    backports: /^1\.1\.5\+ds1-1\+deb12u\d/,
  },
  {
    names: "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881",
    needs: "mounts that an attacker chose, or a mount shared with a box that is being started",
    repaired: ["1.2.8", "1.3.3", "1.4.0-rc.3"],
  },
  { names: "CVE-2026-41579", needs: "an image that an attacker made", repaired: ["1.4.3"] },
];

/** Only by its number: a distribution may have repaired what its number does not show. */
function runcWarnings(version: string | undefined): Warning[] {
  if (version === undefined) return [];
  return RUNC_HOLES.filter((hole) => isOpen(version, hole)).map(({ names, needs, repaired }) => ({
    what: `runc ${version}`,
    found: `by its number it has ${names}, which needs ${needs}: no task can bring that`,
    remedy: `use runc ${repaired.join(", ")} or newer, or see your distribution's changelog`,
  }));
}

function isOpen(version: string, { repaired, backports }: Hole): boolean {
  if (backports?.test(version)) return false;
  const found = numbers(version);
  const last = numbers(repaired.at(-1) ?? "");
  if (compareNumbers(found, last) >= 0) return false;
  const line = repaired.map(numbers).find((one) => one[0] === found[0] && one[1] === found[1]);
  return line === undefined || compareNumbers(found, line) < 0;
}

/** "1.4.0-rc.3" → 1, 4, 0, 3; a version without a candidate's number is after all of them. */
function numbers(version: string): number[] {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?:-rc\.?(\d+))?/.exec(version);
  return (match?.slice(1) ?? []).map((part) => (part ? Number(part) : Number.MAX_SAFE_INTEGER));
}

function compareNumbers(one: readonly number[], other: readonly number[]): number {
  const different = one.findIndex((part, index) => part !== other[index]);
  return different < 0 ? 0 : (one[different] ?? 0) - (other[different] ?? 0);
}
