import { type FaultKind, faultMaker } from "../base/fault.ts";

/** What can go wrong between Cloche and an engine. A program's own failure is never among them. */
export const ENGINE_FAULTS = {
  "unknown-engine": {
    blame: "caller",
    means: "No engine has this name.",
    remedy: "Use one of the names that the message lists.",
  },
  unreachable: {
    blame: "engine",
    means: "Nobody listens at the engine's address, or we may not connect to it.",
    remedy: "Start the engine, or name its address (for Docker: DOCKER_HOST or a Docker context).",
  },
  "no-answer": {
    blame: "engine",
    means: "The engine took the request and did not answer within the deadline, or hung up.",
    remedy:
      "See whether the engine is overloaded or stuck (`docker ps` hangs too?) and restart it.",
  },
  failed: {
    blame: "engine",
    means: "The engine answered with an error that has no code of its own here.",
    remedy: "Read the engine's words in the message, and its log.",
  },
  "no-such-runtime": {
    blame: "caller",
    means: "The engine knows no OCI runtime of this name.",
    remedy: "Register it with the engine (for Docker: `runtimes` in daemon.json), or name another.",
  },
  "not-sealed": {
    blame: "engine",
    means: "A probe found that sandboxes of this engine let through more than its profile allows.",
    remedy:
      "Repair what the message names (`cloche doctor --security` shows all of it), or accept it by name with --accept.",
  },
  "probe-failed": {
    blame: "engine",
    means: "The probe of a sandbox did not come to its end, so nobody knows how tight it is.",
    remedy: "Read what it said in the message; build the images anew if it was not found.",
  },
  "image-missing": {
    blame: "engine",
    means: "The engine does not hold the image.",
    remedy: "Build it with `cloche images build`.",
  },
  "image-build-failed": {
    blame: "engine",
    means: "An image could not be built or imported.",
    remedy: "Read the last lines of the build in the message; repair the recipe or the network.",
  },
  "image-in-use": {
    blame: "caller",
    means: "An image cannot be removed because a container was made from it.",
    remedy: "Wait until its rollouts have ended, or run `cloche reap`, and try again.",
  },
  "spec-refused": {
    blame: "caller",
    means: "The sandbox cannot be made as asked: the engine refused or would drop a limit.",
    remedy: "Correct the value that the message names, or use a host whose kernel has the limit.",
  },
  "name-taken": {
    blame: "caller",
    means: "Something on the engine already has this sandbox's name.",
    remedy: "Use another id, or remove what is there (`cloche reap` if it is ours).",
  },
  "box-gone": {
    blame: "engine",
    means: "The container is not running any more.",
    remedy: "Ask for its state: it may have run out of memory or been removed by somebody else.",
  },
  "program-lost": {
    blame: "engine",
    means: "The engine lost the streams of a program while it ran, in a box that runs on.",
    remedy: "Look at the engine's log for what broke the connection, and run the rollout again.",
  },
  "not-started": {
    blame: "engine",
    means: "The engine took a program and did not start it within the deadline.",
    remedy:
      "See whether the box is starved by programs that run in it, or the engine's machine overloaded.",
  },
  "exec-refused": {
    blame: "task",
    means: "The program could not be started: it, its directory or its user is not there.",
    remedy: "Compare the path with what the image holds; it must exist and be executable.",
  },
  "archive-refused": {
    blame: "task",
    means: "An archive could not be unpacked in the sandbox.",
    remedy: "Make the files smaller or fewer, or the workspace larger; the directory must exist.",
  },
  "path-missing": {
    blame: "task",
    means: "There is nothing at this path of the sandbox that could be read.",
    remedy: "Name a path on a volume or in the image; temporary file systems cannot be read.",
  },
  "no-keeper": {
    blame: "caller",
    means: "The workspace was to be read from a sandbox that was made without a keeper.",
    remedy: "Ask for a keeper in the sandbox's specification.",
  },
  "no-state": {
    blame: "caller",
    means:
      "The state of services was to be read from a sandbox that was made without room for any.",
    remedy: "Ask for state in the sandbox's specification.",
  },
} as const satisfies Record<string, FaultKind>;

export const engineFault = faultMaker("engine", ENGINE_FAULTS);
