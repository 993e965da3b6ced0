import { withDeadline } from "../../base/deadline.ts";
import { engineFault } from "../faults.ts";
import { type DockerApi, failed } from "./docker-api.ts";
import { CUT_OFF } from "./launch.ts";
import { exitCodeOf, startExec } from "./start-exec.ts";

type Place = { readonly api: DockerApi; readonly container: string; readonly user: string };

/**
 * Runs a program of ours in a box, without input, and drops what it prints. Not through the
 * launch script: it must start where nothing can be forked any more. If its streams are lost it is
 * run again, since Docker does not say then how it ended.
 */
export async function runHidden(
  where: Place,
  argv: readonly string[],
): Promise<{ readonly exitCode: number | null }> {
  const patience = where.api.patience();
  for (;;) {
    const ended = await runOnce(where, argv);
    if (ended.exitCode !== CUT_OFF || !(await patience.pause())) return ended;
  }
}

async function runOnce(
  where: Place,
  argv: readonly string[],
): Promise<{ readonly exitCode: number | null }> {
  const { api, container, user } = where;
  const what = `end programs in ${container}`;
  const late = () => engineFault("no-answer", `${what}: not done within ${api.deadlineMs} ms`);
  const body = { User: user, Cmd: argv, AttachStdout: true, AttachStderr: true };
  const { socket, execId } = await startExec(api, { what, container, body });
  try {
    await withDeadline(api.deadlineMs, undefined, late, async () => {
      for await (const _ of socket);
    });
  } finally {
    socket.destroy();
  }
  try {
    return { exitCode: await exitCodeOf(api, execId, api.deadlineMs) };
  } catch (error) {
    throw failed(error);
  }
}
