import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import type { BoxProcess } from "../../engine/engine.ts";
import type { ContextFile } from "../../image/context.ts";
import { SANDBOX_IMAGES, type SandboxImage } from "../../image/sandbox-image.ts";
import { greet } from "../../mcp/link/handshake.ts";
import type { Manifest } from "../../mcp/link/manifest.ts";
import { stdioLink } from "../../mcp/link/stdio-link.ts";
import { Upstream } from "../../mcp/link/upstream.ts";
import { WireLog } from "../../mcp/record/wire-log.ts";
import { SHIPPED_SERVERS, type StdioServerSpec } from "../../mcp/server-spec.ts";

const TIMEOUT_MS = 60_000;

/**
 * What the servers of an image say of themselves: each is started on this machine from the
 * files of the image's build context, and greeted. Rejects with what a server's start or greeting
 * is refused with.
 */
export async function recordManifest(
  image: SandboxImage,
  context: readonly ContextFile[],
  signal = new AbortController().signal,
): Promise<Manifest> {
  const folder = await mkdtemp(join(tmpdir(), "cloche-servers-"));
  try {
    for (const { path, content } of context) {
      if (!path.startsWith("servers/") || !(content instanceof Uint8Array)) continue;
      const place = join(folder, "opt/cloche", path);
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, content);
    }
    await mkdir(join(folder, "workspace"));
    const greetings = shippedIn(image).map(async (spec) => {
      return [spec.name, await greetingOf(spec, folder, signal)] as const;
    });
    const settled = await Promise.allSettled(greetings); // None may be left when this is over.
    const failed = settled.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return Object.fromEntries(await Promise.all(greetings));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function shippedIn(image: SandboxImage): readonly StdioServerSpec[] {
  const upTo = SANDBOX_IMAGES.indexOf(image);
  return Object.values(SHIPPED_SERVERS).flatMap((spec) => {
    if (spec.kind !== "stdio") return [];
    return SANDBOX_IMAGES.indexOf(spec.image ?? "office") <= upTo ? [spec] : [];
  });
}

async function greetingOf(spec: StdioServerSpec, folder: string, signal: AbortSignal) {
  const here = (text: string) =>
    text.replace(PLACES, (_, before, place) => {
      return `${before}${join(folder, place)}`;
    });
  const [, ...args] = [...spec.argv, ...(spec.process === undefined ? [] : [spec.name])].map(here);
  const env = Object.entries(spec.env).map(([name, value]) => [name, here(value)] as const);
  const process = onThisMachine(args, folder, Object.fromEntries(env));
  await using link = stdioLink(process, { log: silentLog });
  const upstream = new Upstream(spec.name, link, new WireLog(systemClock));
  const request = { capabilities: {}, timeoutMs: TIMEOUT_MS, signal, isJoined: true };
  return await greet(upstream, spec, request);
}

/** Folders of a sandbox that servers are told of; here they are below one of ours. */
const PLACES = /(^|=)\/(opt\/cloche|workspace|state|tmp)(?=\/|$)/;

/** A program of Node's, unsealed: it is our own code, and is told only of a folder of its own. */
function onThisMachine(
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>>,
): BoxProcess {
  const child = spawn(process.execPath, args, {
    cwd: join(folder, "workspace"),
    env: { PATH: "/usr/bin:/bin", HOME: folder, LANG: "C.UTF-8", TZ: "UTC", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = new Promise<{ readonly exitCode: number | null }>((resolve) => {
    child.on("error", () => resolve({ exitCode: 127 }));
    child.on("close", (exitCode) => resolve({ exitCode }));
  });
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  const { stdin, stdout, stderr } = child;
  return { stdin, stdout, stderr, ended, kill, [Symbol.asyncDispose]: kill };
}
