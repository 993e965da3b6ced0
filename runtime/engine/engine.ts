import type { Readable, Writable } from "node:stream";
import type { Holdings } from "./custody.ts";
import type { ImageStore } from "./image-store.ts";

/**
 * Makes, finds and removes sandboxes. Written in words that Docker and Kubernetes both have: exec
 * streams, archives and labels; never a host path, a local process or a port.
 *
 * Every call that waits on the engine has a deadline and takes a signal. A call rejects only with a
 * Fault of `engine/…` (see faults.ts) or with the signal's reason. What a program inside a sandbox
 * does (its exit code, its output, being killed) is a result and never a rejection.
 */
export interface Engine extends AsyncDisposable {
  readonly name: string;
  /** What boxes are made from. */
  readonly images: ImageStore;
  /** What it was asked for here and does not know to be gone. */
  readonly holdings: Holdings;

  /**
   * Says what this engine is. Rejects with `engine/unreachable` or `engine/no-answer`.
   * Cheap enough to call before each command.
   */
  check(options?: EngineCall): Promise<EngineReport>;

  /**
   * Makes a running, sealed, empty sandbox. Either it is returned whole or everything made for it
   * is removed again and the call rejects; what could not be removed stands in `holdings`, and
   * `find` tells it as long as it is there. `engine/image-missing`, `engine/spec-refused` (also for
   * any warning of the engine: a limit that was discarded is a limit that does not hold),
   * `engine/name-taken`, `engine/no-answer`.
   */
  create(spec: SandboxSpec, options?: EngineCall): Promise<Sandbox>;

  /** Everything labelled with this owner, dead or alive, in part or whole. */
  find(owner: string, options?: EngineCall): Promise<readonly FoundSandbox[]>;

  /**
   * Takes over a sandbox that another process made and left. Its workspace is as it was; programs
   * that ran in its boxes are ended first, since nobody holds their streams any more. The main box
   * may have ended (`state` says so) as long as the workspace is still held. Undefined if it is
   * not: nothing is left to take over. What it is made of is read from the engine alone.
   */
  attach(found: FoundSandbox, options?: EngineCall): Promise<Sandbox | undefined>;

  /** Removes all parts of what `find` reported. Absent parts are no error. */
  remove(found: FoundSandbox, options?: EngineCall): Promise<void>;

  /**
   * Addresses (IPv4 and IPv6) at which the engine's own machine is reached, as far as that can be
   * known from here: an address that a router somewhere translates to it cannot.
   */
  hostAddresses(options?: EngineCall): Promise<readonly string[]>;
}

export interface EngineCall {
  readonly signal?: AbortSignal;
}

export interface EngineReport {
  /** "docker 20.10.24, linux/amd64". */
  readonly summary: string;
  readonly version: string;
  readonly architecture: "amd64" | "arm64";
  /** Where it is reached, without credentials. */
  readonly address: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly isolation: Isolation;
}

/** How tightly a sandbox is closed: "default" lets through what programs use, "strict" less. */
export const PROFILES = ["default", "strict"] as const;
export type ProfileName = (typeof PROFILES)[number];

/** What an engine says that it seals boxes with. What is true is found by a probe. */
export interface Isolation {
  readonly profile: ProfileName;
  /** The OCI runtime in use. */
  readonly runtime: string;
  /** Those that the engine knows. */
  readonly runtimes: readonly string[];
  /** Another one means another machine or another installation. */
  readonly engineId: string;
  readonly kernel: string;
  /** "name version" of what the engine is made of, as it says: "runc 1.1.5", "containerd 1.6.20". */
  readonly components: Readonly<Record<string, string>>;
  readonly cgroups: 1 | 2;
  readonly appArmor: boolean;
  readonly userNamespaces: boolean;
  /** Boxes survive a restart of the engine. */
  readonly liveRestore: boolean;
  /** Changes with what this engine is asked to seal a box with, and with how it runs the runtime. */
  readonly sealHash: string;
}

/**
 * One sandbox, used once. It holds a main box, where the agent's servers run, and, if asked for, a
 * keeper box. The workspace (and the state of services, if the spec asked for room for it) is
 * shared by the two and by nobody else; processes, users and every other writable byte are not.
 *
 * The main box: root file system read-only; no network but loopback, where any user may listen on
 * any port; no capability, no way to gain one; own seccomp profile; memory, processes, cpu, file
 * sizes, open files, the volumes' bytes and their numbers of files bounded; output of its init
 * discarded. Host name "sandbox".
 */
export interface Sandbox extends Box, AsyncDisposable {
  readonly id: string;
  /** The numeric ids in force, for the record. */
  readonly identity: SandboxIdentity;
  /**
   * A second box of the same sandbox, that sees nothing of the main box but holds its workspace
   * and its state alive. Present if the spec asked for it.
   */
  readonly keeper: Box | undefined;
  /**
   * A third box, that has a network and shares nothing with the others. Present if the spec asked
   * for it. Nothing of the agent's may ever run in it.
   */
  readonly outlet: Box | undefined;

  /**
   * Ends every process of the main box, at once and for good. After it resolves nothing can change
   * the workspace or the state any more. Says how the box fared before; resolves also if it had died by itself.
   * Output of running programs that nobody has read by now may be dropped.
   */
  stop(options?: EngineCall): Promise<BoxState>;

  /**
   * Reads the workspace as a tar stream (root entry "./"), after `stop`, through the keeper.
   * The stream is what the engine sent: verify it, an engine may cut it short without an error.
   * Rejects with `engine/no-keeper` if the spec asked for none.
   */
  readWorkspace(options?: EngineCall): Promise<Readable>;

  /**
   * Reads the state of services, as `readWorkspace` does the workspace. Rejects also with
   * `engine/no-state` if the spec asked for none.
   */
  readState(options?: EngineCall): Promise<Readable>;

  /**
   * Removes all parts: boxes, workspace, scratch. Idempotent, under its own deadline, never
   * throws: what could not be removed is logged, stands in the engine's `holdings` and is left to
   * the reaper.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A tar stream, or what opens one from its beginning. */
export type ArchiveSource = Readable | (() => Readable);

/** A place where programs run. */
export interface Box {
  /**
   * Runs a program to its end. A non-zero exit, a kill, a timeout and cut output are results.
   * Rejects with `engine/box-gone` if the box is not running, `engine/exec-refused` if the program,
   * the directory or the user is not there or the program may not be executed,
   * `engine/not-started` if it was taken but did not begin in time, `engine/program-lost` if its
   * streams were lost while it ran, `engine/no-answer`. What the program prints or returns is never taken for a refusal.
   */
  exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult>;

  /** Starts a program and leaves its streams in the caller's hands. Rejects as `exec` does. */
  open(argv: readonly string[], options: OpenOptions): Promise<BoxProcess>;

  /**
   * Unpacks a tar stream under the directory `path`, which must exist on a writable volume
   * (the workspace of the main box, the scratch of the keeper). Owners, modes and times are taken
   * from the archive. Rejects with `engine/archive-refused` if the engine says that it does not fit
   * or the path is not there. One that can be opened again is sent again if the engine hangs up.
   */
  putArchive(tar: ArchiveSource, path: string, options?: EngineCall): Promise<void>;

  /**
   * The file or directory at `path` as a tar stream whose first entry is named after its last
   * segment. Links are links, nothing is followed. Rejects with `engine/path-missing`, also for
   * paths that no archive can show: temporary file systems (/tmp, homes), /proc, /sys.
   */
  getArchive(path: string, options?: EngineCall): Promise<Readable>;

  /** What the engine knows of the box now. */
  state(options?: EngineCall): Promise<BoxState>;
}

export interface ExecOptions extends EngineCall {
  /** One of the box's `users`, or "init". */
  readonly user: string;
  /** Default "/". */
  readonly cwd?: string;
  /**
   * Added to PATH, HOME, USER, LOGNAME, LANG and TZ, which every program gets. Names are of
   * letters, digits and "_". HOME is a writable directory of the user's own.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to the program's standard input, which is then closed. Default: closed at once. */
  readonly stdin?: Uint8Array;
  /**
   * After this the program and its descendants are killed, also those that left its process group;
   * the result says `timedOut`. Default 60,000; at most 24 hours.
   */
  readonly timeoutMs?: number;
  /** Kept of each of stdout and stderr; the rest is read and dropped. Default 10 MiB. */
  readonly maxOutputBytes?: number;
}

export interface ExecResult {
  /** 128 + signal for a program that was killed, as a shell says it; null if it never ended by itself (timeout). */
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly timedOut: boolean;
  /** Bytes dropped because of `maxOutputBytes`. */
  readonly dropped: { readonly stdout: number; readonly stderr: number };
}

export interface OpenOptions extends EngineCall {
  readonly user: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /**
   * The program is no agent's and needs to write below these folders alone, and in a folder of its
   * own that TMPDIR and XDG_RUNTIME_DIR name and nobody else can enter. Under the profile
   * "strict" that is enforced as far as the box's kernel can (Landlock), and so is that it signals
   * and joins abstract sockets of nobody whom it did not start itself.
   */
  readonly writes?: readonly string[];
  /** Whether it, and what it starts, are to be ended before all else when memory runs out. */
  readonly endsFirst?: boolean;
  /**
   * The program does nothing before it has read something, and ends with its input: if it is lost as
   * it starts, it is started again.
   */
  readonly startsWithInput?: boolean;
  /**
   * Its own end is told from the loss of its streams by the engine, of which `ended` says null. Only
   * for programs that no agent can touch.
   */
  readonly tellsLoss?: boolean;
}

export interface ProgramEnd {
  /** Null if the engine can't say. */
  readonly exitCode: number | null;
  /** The engine lost it while it ran, which nobody in the box can have brought about or feigned. */
  readonly isLost?: true;
}

/**
 * A running program. Reading slowly slows it down; nothing is buffered without bound, and the two
 * outputs share one way, so both must be read (or destroyed). What is written to `stdin` after the
 * program has ended is dropped.
 */
export interface BoxProcess extends AsyncDisposable {
  /** `end()` closes the program's standard input. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the program has ended or the engine lost it, after both outputs ended; never rejects. */
  readonly ended: Promise<ProgramEnd>;
  /**
   * SIGKILLs the program and its descendants. Resolves when that is done; harmless afterwards. Output
   * that nobody is reading by then may be lost.
   */
  kill(): Promise<void>;
  /** Kills and lets go of the streams. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface BoxState {
  readonly running: boolean;
  /** Null while running or if the engine can't say. */
  readonly exitCode: number | null;
  /**
   * Some process of the box was killed for memory, as far as the engine noticed: it always does
   * when the box died of it, and may miss a program that was killed in a box that lives on.
   */
  readonly outOfMemory: boolean;
}

export interface SandboxSpec {
  /** Letters a-z, digits and "-", at most 60. On the engine all parts are named `cloche-<id>…`. */
  readonly id: string;
  readonly labels: SandboxLabels;
  /** A reference that `images` knows. */
  readonly image: string;
  /** Names for the users inside, "init" not among them. Each gets a uid of its own, all share one gid. */
  readonly users: readonly string[];
  /** Where the writable volume is mounted, who owns its root, how much it holds. */
  readonly workspace: VolumeSpec;
  /**
   * A second writable volume of the main box, for what services keep: nobody but its owner can
   * enter it, since its root has mode 0700.
   */
  readonly state?: VolumeSpec;
  /**
   * Host names that lead to the main box itself: what listens there is found under them. Lower-case,
   * at most 64. Nothing else can be resolved, with them or without.
   */
  readonly hostNames?: readonly string[];
  readonly limits: BoxLimits;
  readonly keeper?: KeeperSpec;
  readonly outlet?: OutletSpec;
}

/**
 * A box with a network, for a program of ours that decides what goes out. Sealed as others are, but
 * for that. Where sandboxes are run by gVisor it is run by runc: gVisor has no network to give here.
 */
export interface OutletSpec {
  readonly image: string;
  readonly users: readonly string[];
  readonly limits: BoxLimits;
}

export interface KeeperSpec {
  readonly image: string;
  readonly users: readonly string[];
  /** A volume of the keeper's own; workspace and state are not visible to its users. */
  readonly scratch: VolumeSpec;
  readonly limits: BoxLimits;
}

export interface VolumeSpec {
  /**
   * Absolute. The root directory belongs to `owner` and the sandbox's group; unless it is said
   * otherwise it is setgid and both may write there: mode 2770.
   */
  readonly path: string;
  /** One of the users of the box. */
  readonly owner: string;
  readonly bytes: number;
  readonly files: number;
}

export interface BoxLimits {
  /** Memory and swap together, the volume's content included. */
  readonly memoryBytes: number;
  /** Processes and threads. */
  readonly processes: number;
  /** May be fractional. */
  readonly cpus: number;
  /** /tmp, /dev/shm and the users' homes together are bounded by this. */
  readonly tmpBytes: number;
  /** The largest single file. */
  readonly fileBytes: number;
  readonly openFiles: number;
}

/**
 * Labels on every part: `cloche.owner`, `cloche.rollout`, `cloche.expires` (seconds since 1970),
 * `cloche.process`.
 */
export interface SandboxLabels {
  /** Whose it is: the id of a data folder. The reaper of one owner never touches another's. */
  readonly owner: string;
  /** The rollout, or what else it was made for (`generate-…`). */
  readonly rollout: string;
  readonly expires: Date;
  /** The process that made it (base/process-identity). */
  readonly process: string;
}

export interface SandboxIdentity {
  /** By user name, "init" included. */
  readonly uids: Readonly<Record<string, number>>;
  readonly gid: number;
}

export interface FoundSandbox {
  readonly id: string;
  readonly labels: SandboxLabels;
  /** Names on the engine, for messages: containers and volumes. */
  readonly parts: readonly string[];
}
