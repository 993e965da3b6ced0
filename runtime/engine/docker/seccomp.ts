import type { ProfileName } from "../engine.ts";
import { ALLOWED_CALLS, FORBIDDEN_CALLS, SPARED_CALLS, UNKNOWN_CALLS } from "./seccomp-calls.ts";

const EPERM = 1;
const ENOSYS = 38;

const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 };
const NETLINK_ROUTE = 0;
const STREAM = { type: 1, protocols: [0, 6] };
const DATAGRAM = { type: 2, protocols: [0, 17] };
/** A socket's type without SOCK_NONBLOCK and SOCK_CLOEXEC. */
const TYPE_BITS = 0xf;

const S_IFMT = 0o170000;
const S_IFIFO = 0o010000;

/** CLONE_NEWTIME shares its bit with a signal number and cannot be asked of clone. */
const NEW_NAMESPACE = {
  CGROUP: 0x02000000,
  IPC: 0x08000000,
  MOUNT: 0x00020000,
  NET: 0x40000000,
  PID: 0x20000000,
  USER: 0x10000000,
  UTS: 0x04000000,
};
const ANY_NEW_NAMESPACE = Object.values(NEW_NAMESPACE).reduce((all, flag) => all + flag, 0);

/** Execution domains that change nothing dangerous; 0xffffffff only asks. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

type Condition = { index: number; value: number; valueTwo?: number; op: string };

/**
 * Our seccomp profiles as Docker takes them. What is not listed answers "no such call" (ENOSYS),
 * which is what programs probing for a new kernel feature expect; what is known and forbidden
 * answers "not permitted" (EPERM), which is what programs trying to sandbox themselves expect.
 */
export const SECCOMP: Readonly<Record<ProfileName, string>> = {
  default: document(defaultRules()),
  strict: document(strictRules()),
};

function document(syscalls: readonly Rule[]): string {
  return JSON.stringify({
    // Engines before 23 do not know the second field and answer EPERM instead.
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: ENOSYS,
    // Without 32-bit sub-architectures: a second table of calls is a second way in.
    archMap: [
      { architecture: "SCMP_ARCH_X86_64", subArchitectures: [] },
      { architecture: "SCMP_ARCH_AARCH64", subArchitectures: [] },
    ],
    syscalls,
  });
}

function defaultRules(): Rule[] {
  return [
    allow([...ALLOWED_CALLS, ...SPARED_CALLS, "mknod", "mknodat"]),
    ...commonRules(),
    ...[AF.INET, AF.INET6].map((family) => allow(["socket"], equal(0, family))),
    ...PERSONALITIES.map((persona) => allow(["personality"], equal(0, persona))),
  ];
}

/** Of the internet's protocols TCP and UDP alone, of special files only named pipes. */
function strictRules(): Rule[] {
  const sockets = [AF.INET, AF.INET6].flatMap((family) =>
    [STREAM, DATAGRAM].flatMap(({ type, protocols }) =>
      protocols.map((protocol) =>
        allow(["socket"], equal(0, family), masked(TYPE_BITS, type, 1), equal(2, protocol)),
      ),
    ),
  );
  return [
    allow(ALLOWED_CALLS),
    refuse(SPARED_CALLS, ENOSYS),
    ...commonRules(),
    ...sockets,
    allow(["mknod"], masked(S_IFMT, S_IFIFO, 1)),
    allow(["mknodat"], masked(S_IFMT, S_IFIFO, 2)),
    ...[PERSONALITIES.at(0), PERSONALITIES.at(-1)].map((persona) =>
      allow(["personality"], equal(0, persona ?? 0)),
    ),
  ];
}

function commonRules(): Rule[] {
  return [
    refuse(FORBIDDEN_CALLS, EPERM),
    refuse(UNKNOWN_CALLS, ENOSYS),
    // Its flags lie in memory, out of the filter's sight; libraries fall back to clone.
    refuse(["clone3"], ENOSYS),
    allow(["clone"], masked(ANY_NEW_NAMESPACE, 0)),
    ...Object.values(NEW_NAMESPACE).map((flag) => refuse(["clone"], EPERM, masked(flag, flag))),
    allow(["socket"], equal(0, AF.UNIX)),
    allow(["socket"], equal(0, AF.NETLINK), equal(2, NETLINK_ROUTE)),
    allow(["socketpair"], equal(0, AF.UNIX)),
  ];
}

interface Rule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args: readonly Condition[];
}

function allow(names: readonly string[], ...args: Condition[]): Rule {
  return { names, action: "SCMP_ACT_ALLOW", args };
}

function refuse(names: readonly string[], errnoRet: number, ...args: Condition[]): Rule {
  return { names, action: "SCMP_ACT_ERRNO", errnoRet, args };
}

function equal(index: number, value: number): Condition {
  return { index, value, op: "SCMP_CMP_EQ" };
}

/** Of an argument (the first one), the bits in `mask` are exactly `bits`. */
function masked(mask: number, bits: number, index = 0): Condition {
  return { index, value: mask, valueTwo: bits, op: "SCMP_CMP_MASKED_EQ" };
}
