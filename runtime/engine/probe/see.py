# Runs in a sandbox after calls.py and prints, as one JSON object, what can be seen and done there.
import ctypes
import errno
import json
import mmap
import os
import platform
import signal
import socket
import stat
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # It stands before this text.
    from calls import (
        CALLS,
        CAPABILITIES,
        FAMILIES,
        HOST_FILES,
        NAMESPACES,
        PERSONAS,
        PROTOCOLS,
        TYPES,
    )

libc = ctypes.CDLL(None, use_errno=True)
ARM = platform.machine() == "aarch64"
REFUSED = (errno.EPERM, errno.ENOSYS)
PR_GET_SECCOMP = 21
PR_GET_NO_NEW_PRIVS = 39
PLACE_PROBE = ".cloche-probe"


def text(path: str, limit: int = 65536) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


def in_child(work: Callable[[], object]) -> bool:
    """What `work` says in a process of its own: a call may change or end who makes it."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(5)
        try:
            os._exit(0 if work() else 1)
        except BaseException:  # noqa: BLE001  The process ends here, whatever it met.
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 0


def call(number: int, *arguments: int) -> tuple[int, int]:
    ctypes.set_errno(0)
    libc.syscall.restype = ctypes.c_long
    answer = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(one) for one in arguments))
    return answer, ctypes.get_errno()


def gets_through(number: int, arguments: tuple[int, ...]) -> bool:
    answer, error = call(number, *arguments)
    return answer != -1 or error not in REFUSED


def accepts(number: int, flag: int) -> bool:
    return call(number, flag)[0] != -1


def succeeds(number: int, flag: int) -> bool:
    return call(number, flag)[0] == 0


def calls() -> list[str]:
    known = [(name, arm if ARM else intel, args) for name, intel, arm, args in CALLS]
    through = [
        name for name, n, args in known if n >= 0 and in_child(partial(gets_through, n, args))
    ]
    number = 92 if ARM else 135
    through += [
        "personality:" + name
        for name, flag in PERSONAS.items()
        if in_child(partial(accepts, number, flag))
    ]
    return sorted(through + other_tables())


def other_tables() -> list[str]:
    """The tables of calls that x86_64 has beside its own."""
    if ARM or platform.machine() != "x86_64":
        return []

    def int80() -> bool:
        # mov eax, 20 (getpid); int 0x80; ret
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        return bool(ctypes.CFUNCTYPE(ctypes.c_int)(address)() == os.getpid())

    def x32() -> bool:
        return call(0x40000000 | 39)[0] == os.getpid()

    return [name for name, work in (("table:32-bit", int80), ("table:x32", x32)) if in_child(work)]


def namespaces() -> list[str]:
    """Those that can be made, by either call."""
    clone = 220 if ARM else 56

    def cloned(flag: int) -> bool:
        pid, _ = call(clone, flag | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            os._exit(0)
        return pid > 0

    unshare = 97 if ARM else 272
    return sorted(
        name
        for name, flag in NAMESPACES.items()
        if in_child(partial(succeeds, unshare, flag)) or in_child(partial(cloned, flag))
    )


def sockets() -> list[str]:
    """Families, and of the internet's the protocols. Another answer than "no" is from beyond."""
    no = (*REFUSED, errno.EAFNOSUPPORT, errno.EACCES, errno.ESOCKTNOSUPPORT, errno.EPROTONOSUPPORT)

    def made(family: int, kind: int, protocol: int = 0) -> bool:
        try:
            socket.socket(family, kind, protocol).close()
        except OSError as error:
            return error.errno not in no
        return True

    found = []
    for number, name in enumerate(FAMILIES):
        if name == "NETLINK":
            found += [f"NETLINK:{n}" for n in range(23) if made(number, 3, n)]
        elif name in ("INET", "INET6"):
            found += [
                f"{name} {kind} {protocol}"
                for kind, t in TYPES.items()
                for protocol, p in PROTOCOLS.items()
                if made(number, t, p)
            ]
        elif any(made(number, kind) for kind in TYPES.values()):
            found.append(name)
    return sorted(found)


def capabilities() -> dict[str, object]:
    status = dict(
        line.split(":\t", 1) for line in text("/proc/self/status").splitlines() if ":\t" in line
    )
    sets = [
        int(status.get(name, "0"), 16)
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    ]
    held = [
        f"CAP_{name}" for bit, name in enumerate(CAPABILITIES) if any(s >> bit & 1 for s in sets)
    ]
    return {
        "capabilities": held,
        "no new privileges": libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
        "seccomp filter": libc.prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2,
    }


def host_files() -> list[str]:
    def tells(path: str) -> bool:
        try:
            if os.path.isdir(path):
                return len(os.listdir(path)) > 0
            if stat.S_ISSOCK(os.stat(path).st_mode):
                return True
        except OSError:
            return False
        return text(path, 64).strip("\0 \n") != ""

    return sorted(path for path in HOST_FILES if tells(path))


def mounts() -> dict[str, list[str]]:
    rows = [line.split() for line in text("/proc/self/mounts", 1 << 20).splitlines()]
    # What is masked shows the mount that masks it.
    writable = [
        row
        for row in rows
        if "rw" in row[3].split(",") and not row[1].startswith(("/proc", "/sys"))
    ]
    points = {row[1] for row in rows if not row[1].startswith(("/proc/", "/sys/"))}

    def missing(option: str) -> list[str]:
        return sorted(row[1] for row in writable if option not in row[3].split(","))

    return {
        "mounts": sorted(points),
        "writable mounts with set-user-id": missing("nosuid"),
        "writable mounts with devices": missing("nodev"),
    }


def can_write(folder: str) -> bool:
    path = os.path.join(folder, PLACE_PROBE)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.unlink(path)
        return True
    except OSError:
        return False


def can_open(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY))
        return True
    except OSError:
        return False


def places() -> tuple[list[str], list[str], list[str]]:
    """Folders that can be written to (their topmost), files elsewhere, and what has rights."""
    folders, files, privileged = [], [], []
    for root, names, plain in os.walk("/"):
        if root == "/":
            names[:] = [name for name in names if name not in ("proc", "sys", "dev")]
        if os.access(root, os.W_OK) and can_write(root):
            folders.append(root)
            names[:] = []
            continue
        for name in plain:
            path = os.path.join(root, name)
            try:
                mode = os.lstat(path).st_mode
            except OSError:
                continue
            if stat.S_ISREG(mode) and mode & 0o6000:
                privileged.append(path)
            if stat.S_ISREG(mode) and os.access(path, os.W_OK) and can_open(path):
                files.append(path)
    folders += [root for root in ("/dev", "/dev/shm", "/dev/mqueue", "/dev/pts") if can_write(root)]
    return sorted(folders), files, sorted(privileged)


def kernel_files() -> list[str]:
    """Settings of the kernel that can be opened for writing. Nothing is written."""
    found = []
    for top in ("/proc/sys", "/sys", "/proc/irq", "/proc/bus", "/proc/fs"):
        for root, _, names in os.walk(top):
            found += [
                path
                for path in (os.path.join(root, name) for name in names)
                if os.access(path, os.W_OK) and can_open(path)
            ]
    if can_open("/proc/sysrq-trigger"):
        found.append("/proc/sysrq-trigger")
    return sorted(found)


def devices() -> tuple[list[str], list[str]]:
    """Device files that can be opened, and special files that can be made."""
    found = []
    for root, _, names in os.walk("/dev"):
        for name in names:
            path = os.path.join(root, name)
            try:
                mode = os.lstat(path).st_mode
                if not (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)):
                    continue
                os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))
                found.append(path)
            except OSError:
                continue
    made = []
    for name, kind in (
        ("pipe", stat.S_IFIFO),
        ("block", stat.S_IFBLK),
        ("character", stat.S_IFCHR),
    ):
        path = "/tmp/" + PLACE_PROBE
        try:
            os.mknod(path, kind | 0o600, os.makedev(1, 3))
            if name != "pipe":
                os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
            made.append(name)
        except OSError:
            pass
        finally:
            if os.path.lexists(path):
                os.unlink(path)
    return sorted(path for path in found if not path.startswith("/dev/pts/")), made


def processes() -> tuple[list[str], list[str]]:
    """Who else is there, and what can be had of programs of another user (init is one)."""
    others, reach = set(), set()
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            owner = os.stat(f"/proc/{pid}").st_uid
        except OSError:
            continue
        if pid != os.getpid():
            others.add(text(f"/proc/{pid}/comm").strip())
        if owner != os.getuid():
            reach |= reached(pid)
    return sorted(others - {""}), sorted(reach)


def reached(pid: int) -> set[str]:
    def works(attempt: Callable[[str], object], path: str) -> bool:
        try:
            attempt(f"/proc/{pid}/{path}")
            return True
        except OSError:
            return False

    found = {
        name for name in ("environ", "maps", "auxv", "syscall") if text(f"/proc/{pid}/{name}", 1)
    }
    found |= {name for name in ("root", "cwd", "fd") if works(os.listdir, name)}
    found |= {name for name in ("exe",) if works(os.readlink, name)}
    found |= {f"{name} for writing" for name in ("mem", "fd/0", "fd/1") if works(speak, name)}
    if works(lambda _: os.kill(pid, 0), ""):
        found.add("signals")
    return found


def speak(path: str) -> None:
    """Writes nothing, which is refused all the same where nothing can be written."""
    handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(handle, b"")
        if stat.S_ISCHR(os.fstat(handle).st_mode):
            raise OSError("a device, which nobody reads")
    finally:
        os.close(handle)


def main() -> None:
    folders, files, privileged = places()
    nodes, made = devices()
    others, reach = processes()
    addresses = [
        line.split()[1]
        for line in text("/etc/resolv.conf").splitlines()
        if line.startswith("nameserver")
    ]
    own_cgroup = all(line.rsplit(":", 1)[-1] == "/" for line in text("/proc/self/cgroup").split())
    said = {
        **capabilities(),
        "root": 0 in (os.getuid(), os.geteuid(), os.getgid(), os.getegid(), *os.getgroups()),
        "further groups": [str(one) for one in os.getgroups() if one != os.getgid()],
        "programs with set-user-id": privileged,
        "calls": calls(),
        "namespaces that can be made": namespaces(),
        "sockets": sockets(),
        "files about the host": host_files(),
        "kernel settings": kernel_files(),
        **mounts(),
        "writable folders": folders,
        "writable files": files,
        "devices": nodes,
        "special files that can be made": made,
        "other programs": others,
        "reach into other users' programs": reach,
        "network interfaces": sorted(name for _, name in socket.if_nameindex()),
        "routes": [
            line for line in text("/proc/net/route").splitlines()[1:] if not line.startswith("lo")
        ],
        "name servers": addresses,
        "abstract sockets": [
            line.split()[7]
            for line in text("/proc/net/unix").splitlines()[1:]
            if len(line.split()) > 7 and line.split()[7].startswith("@")
        ],
        "host name": socket.gethostname(),
        "own cgroup root": own_cgroup,
        "own first process": text("/proc/1/comm").strip(),
        "environment": sorted(os.environ),
    }
    about = {
        "userNamespace": text("/proc/self/uid_map").split() != ["0", "0", "4294967295"],
        "appArmor": text("/proc/self/attr/current").strip("\0\n "),
        "landlock": max(call(444, 0, 0, 1)[0], 0),
        "kernel": platform.release(),
        "machine": platform.machine(),
    }
    json.dump({"said": said, "about": about}, sys.stdout)


main()
