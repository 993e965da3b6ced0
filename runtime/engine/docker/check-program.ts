import type { OpenOptions } from "../engine.ts";
import { engineFault } from "../faults.ts";

/** What is to be run in the box `name`, if it can be. @throws `engine/exec-refused` */
export function checkedProgram(name: string, argv: readonly string[], options: OpenOptions) {
  const { cwd = "/", env = {}, writes } = options;
  const refuse = (why: string) => engineFault("exec-refused", `run ${argv[0]} in ${name}: ${why}`);
  if (!argv[0]) throw refuse("no program is named");
  if (!cwd.startsWith("/")) throw refuse(`its directory "${cwd}" is not absolute`);
  const odd = Object.keys(env).find((key) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key));
  if (odd !== undefined) throw refuse(`"${odd}" is no name for an environment variable`);
  const strange = writes?.find((folder) => !/^(\/[A-Za-z0-9._-]+)+$/.test(folder));
  if (strange !== undefined) throw refuse(`"${strange}" is no folder to be closed in`);
  const texts = [...argv, cwd, ...Object.values(env)];
  if (texts.some((text) => text.includes("\0"))) throw refuse("a NUL cannot be passed");
  return { cwd, writes };
}
