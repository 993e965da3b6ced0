import type { Rollout } from "cloche/client";

/**
 * A scripted policy, in the place where a model would choose the calls: looks around, and does what
 * it is told if that is to write a line into a file.
 */
export async function play(rollout: Rollout, careful = true): Promise<string> {
  const names = (await rollout.tools()).map(({ name }) => name);
  if (names.includes("list_directory")) {
    await rollout.call("list_directory", { path: "/workspace" });
  }
  const asked = /Write the line (\S+) into (\S+)\./.exec(rollout.instruction);
  if (asked === null) return "I do not know how to do that.";
  const [, line, path] = asked;
  const result = await rollout.call("write_file", { path, content: careful ? line : "later" });
  return result.isError ? "failed" : "done";
}
