import { spawn } from "node:child_process";
import { ToolError } from "../kit/tool-error.ts";
import { LIMITS } from "./limits.ts";

const MEMORY_KIB = 768 * 1024;
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

/**
 * One page of a PDF as a picture, by poppler's pdftoppm, which gets the bytes on its standard input
 * and never a path. It is the one program here that is not memory-safe, so it has bounds on memory,
 * time, files and processes, an empty environment, and nothing open but its three streams.
 */
export async function renderPage(
  bytes: Buffer,
  { page, longest, signal }: { page: number; longest: number; signal?: AbortSignal },
): Promise<Buffer> {
  const bounds =
    `ulimit -v ${MEMORY_KIB}; ulimit -t ${LIMITS.renderMs / 1000}; ulimit -f 0; ulimit -c 0; ` +
    'ulimit -n 24; exec pdftoppm "$@"';
  const args = ["-png", "-singlefile", "-f", `${page}`, "-l", `${page}`, "-scale-to", `${longest}`];
  const child = spawn("/bin/sh", ["-c", bounds, "sh", ...args, "-"], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", HOME: "/nonexistent" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const late = setTimeout(() => child.kill("SIGKILL"), LIMITS.renderMs);
  const stop = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", stop);
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > LIMITS.pngBytes) stop();
      else chunks.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(0, 2_000);
    });
    child.stdin.on("error", () => {}); // It may end before it has read all.
    child.stdin.end(bytes);
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.on("error", reject);
    child.on("close", resolve);
    const code = await promise.catch((cause: unknown) => {
      throw new ToolError("Pages cannot be drawn here: pdftoppm is missing.", { cause });
    });
    const picture = Buffer.concat(chunks);
    if (code === 0 && picture.subarray(0, 4).equals(PNG)) return picture;
    throw refusal(said, page, size);
  } finally {
    clearTimeout(late);
    signal?.removeEventListener("abort", stop);
  }
}

function refusal(said: string, page: number, size: number): ToolError {
  if (/password/i.test(said)) {
    return new ToolError("The PDF is protected by a password; its pages cannot be drawn.");
  }
  if (/first page|wrong page range/i.test(said)) {
    return new ToolError(`The PDF has no page ${page}. read_document says how many there are.`);
  }
  const why =
    size > LIMITS.pngBytes ? "its picture is too large; ask for a smaller one" : "it is damaged";
  return new ToolError(`Page ${page} could not be drawn: ${why}, or too much to draw.`);
}
