import { withDeadline } from "../../base/deadline.ts";
import { engineFault } from "../faults.ts";
import { type DockerApi, failed, Refusal } from "./docker-api.ts";

/**
 * Runs a program of ours in a box, without input, and drops what it prints. Not through the
 * launch script: it must start where nothing can be forked any more.
 */
export async function runHidden(
  where: { readonly api: DockerApi; readonly container: string; readonly user: string },
  argv: readonly string[],
): Promise<{ readonly exitCode: number | null }> {
  const { api, container, user } = where;
  const what = `end programs in ${container}`;
  const late = () => engineFault("no-answer", `${what}: not done within ${api.deadlineMs} ms`);
  try {
    const body = { User: user, Cmd: argv, AttachStdout: true, AttachStderr: true };
    const path = `/containers/${container}/exec`;
    const { Id } = await api.json<{ Id: string }>({ what, method: "POST", path, body });
    const socket = await api.upgrade({
      ...{ what, method: "POST", path: `/exec/${Id}/start` },
      body: { Detach: false, Tty: false },
    });
    try {
      await withDeadline(api.deadlineMs, undefined, late, async () => {
        for await (const _ of socket);
      });
    } finally {
      socket.destroy();
    }
    const state = { what, method: "GET", path: `/exec/${Id}/json` } as const;
    const { ExitCode } = await api.json<{ ExitCode: number | null }>(state);
    return { exitCode: ExitCode };
  } catch (error) {
    if (error instanceof Refusal && (error.status === 404 || error.status === 409)) {
      throw engineFault("box-gone", error.message, { cause: error });
    }
    throw failed(error);
  }
}
