"""Looks at a zip before anything opens it: office files are zips, and an agent can make any."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from .files import File

_MIB = 1024 * 1024


@dataclass(frozen=True)
class ZipLimits:
    """What an office file may hold. Far above an office's needs, far below a grader's memory."""

    file_bytes: int = 16 * _MIB
    members: int = 2_000
    member_bytes: int = 32 * _MIB
    total_bytes: int = 48 * _MIB
    #: Unpacked to packed, for members above one MiB: honest XML stays below 60.
    ratio: int = 150


OFFICE = ZipLimits()


def office_bytes(file: File, required: str, limits: ZipLimits = OFFICE) -> bytes:
    """The bytes of a zip that holds the member ``required`` and keeps the limits.

    Rejects the file otherwise. The sizes in the directory are not believed: every member is
    unpacked once and counted, with a stop at the limit.
    """
    data = file.bytes(limit=limits.file_bytes)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            trouble = _trouble(archive, required, limits)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        OSError,
        EOFError,
        RuntimeError,
    ) as error:
        file.unreadable(f"is not a readable office file ({error})")
    except zipfile.zlib.error as error:  # type: ignore[attr-defined]
        file.unreadable(f"is not a readable office file ({error})")
    if trouble:
        file.unreadable(trouble)
    return data


def _trouble(archive: zipfile.ZipFile, required: str, limits: ZipLimits) -> str:
    members = archive.infolist()
    if len(members) > limits.members:
        return f"holds {len(members)} parts; at most {limits.members} are read"
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        return "holds two parts of one name"
    if required not in names:
        return f"is not the office file that it should be: it has no {required}"
    total = 0
    for member in members:
        size = _unpacked(archive, member, limits.member_bytes)
        total += size
        if size > limits.member_bytes or total > limits.total_bytes:
            return f"unpacks to more than {limits.total_bytes} bytes"
        if size > _MIB and size > limits.ratio * max(member.compress_size, 1):
            return f"unpacks to {size} bytes from {member.compress_size}, which no office file does"
    return ""


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> int:
    size = 0
    with archive.open(member) as stream:
        while size <= limit and (part := stream.read(64 * 1024)):
            size += len(part)
    return size
