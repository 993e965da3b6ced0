# Runs in a sandbox and takes as much of everything as it is told to, which is more than there
# should be. Prints [name, value] line by line, also what it got on the way: it may be ended at any
# time.
import errno
import json
import os
import resource
import sys
import time

MIB = 1 << 20
WANTED = json.loads(sys.argv[1])


def write(path: str, most: int) -> int:
    """Bytes that one file took before the answer was no, and that answer."""
    block, done = b"x" * 65536, 0
    handle = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        while done < most:
            done += os.write(handle, block[: most - done])
        return done
    except OSError:
        return done
    finally:
        os.close(handle)
        os.unlink(path)


def bytes_of(folder: str, beyond: int) -> int:
    """Several files, since one alone has a limit of its own."""
    done, names = 0, []
    try:
        for number in range(64):
            name = f"{folder}/.probe-{number}"
            handle = os.open(name, os.O_CREAT | os.O_WRONLY, 0o600)
            names.append(name)
            try:
                for _ in range(16):
                    done += os.write(handle, b"x" * 65536)
                    if done >= beyond:
                        return done
            finally:
                os.close(handle)
        return done
    except OSError:
        return done
    finally:
        for name in names:
            os.unlink(name)


def files_of(folder: str, beyond: int) -> int:
    made = 0
    try:
        os.mkdir(f"{folder}/.probe")
        while made < beyond:
            os.close(os.open(f"{folder}/.probe/{made}", os.O_CREAT | os.O_WRONLY, 0o600))
            made += 1
    except OSError:
        pass
    finally:
        for number in range(made):
            os.unlink(f"{folder}/.probe/{number}")
        if os.path.isdir(f"{folder}/.probe"):
            os.rmdir(f"{folder}/.probe")
    return made


def descriptors(beyond: int) -> int:
    held: list[int] = []
    try:
        while len(held) < beyond:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    for one in held:
        os.close(one)
    return len(held)


def children(beyond: int) -> None:
    """How many processes could be had at once; they wait until the pipe is closed."""
    reader, writer = os.pipe()
    pids: list[int] = []
    try:
        while len(pids) < beyond:
            pid = os.fork()
            if pid == 0:
                os.close(writer)
                os.read(reader, 1)
                os._exit(0)
            pids.append(pid)
            say(processes=len(pids))
    except OSError as error:
        if error.errno != errno.EAGAIN:
            raise
    os.close(writer)
    for pid in pids:
        os.waitpid(pid, 0)


# What gVisor says of itself in every version (its pkg/sentry/syscalls/linux/linux64.go).
GVISOR = "#1 SMP Sun Jan 10 15:06:54 PST 2016"


def processor(seconds: float = 0.4) -> float:
    """Processors that four busy processes had. gVisor's own kernel counts time that it was not
    given, so there it is told by what they got done, which is too little on a busy machine."""
    full = fastest()
    before, started = os.times(), time.monotonic()
    counts = []
    for _ in range(4):
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.write(writing, b"%d" % turns(started + seconds))
            os._exit(0)
        os.close(writing)
        counts.append(reading)
    done = sum(int(os.read(reading, 32)) for reading in counts)
    for reading in counts:
        os.close(reading)
        os.wait()
    after, took = os.times(), time.monotonic() - started
    used = after.children_user - before.children_user
    used += after.children_system - before.children_system
    return round((done / full if os.uname().version == GVISOR else used) / took, 2)


def fastest(slices: int = 200) -> float:
    """Turns a second while nothing else had the processor: the best of many moments."""
    best = 0.0
    for _ in range(slices):
        started = time.monotonic()
        done = turns(started + 0.001)
        best = max(best, done / (time.monotonic() - started))
    return best


def turns(end: float) -> int:
    done = 0
    while time.monotonic() < end:
        done += 1
    return done


def limits() -> dict[str, int]:
    def hard(name: str) -> int:
        return resource.getrlimit(getattr(resource, name))[1]

    queues = hard("RLIMIT_MSGQUEUE") if hasattr(resource, "RLIMIT_MSGQUEUE") else 0
    return {
        "core dumps": hard("RLIMIT_CORE"),
        "bytes of message queues": queues,
        "bytes of locked memory": hard("RLIMIT_MEMLOCK"),
    }


def say(**found: float) -> None:
    for name, value in found.items():
        print(json.dumps([name, value]), flush=True)


def main() -> None:
    for folder, room in WANTED["folders"].items():
        say(**{f"bytes written to {folder}": bytes_of(folder, room["bytes"])})
        say(**{f"files made in {folder}": files_of(folder, room["files"])})
    if "memoryMib" not in WANTED:
        return
    say(
        **limits(),
        **{
            "largest file": write(f"{WANTED['big']}/.probe", WANTED["fileBytes"]),
            "open files": descriptors(WANTED["openFiles"]),
            "processors": processor(),
        },
    )
    children(WANTED["processes"])
    held: list[bytearray] = []
    while len(held) < WANTED["memoryMib"]:
        held.append(bytearray(b"x" * MIB))
        say(**{"memory (MiB)": len(held)})


main()
