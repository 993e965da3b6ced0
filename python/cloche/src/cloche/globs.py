"""Path patterns: ``*``, ``?`` and ``[…]`` within a folder, ``**`` across folders."""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache


def matches(path: str, glob: str) -> bool:
    """Whether the whole relative path matches. ``**`` stands for any folders, also none."""
    return _compiled(glob).fullmatch(path) is not None


@lru_cache(maxsize=512)
def _compiled(glob: str) -> re.Pattern[str]:
    if glob == "**":
        return re.compile(r".*", re.DOTALL)
    parts = glob.split("/")
    pattern = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            # One after another says no more than one, and would take long to try.
            if last or parts[index + 1] != "**":
                pattern += ".*" if last else "(?:[^/]+/)*"
        else:
            pattern += _segment(part) + ("" if last else "/")
    return re.compile(pattern, re.DOTALL)


def _segment(part: str) -> str:
    """fnmatch's pattern for one folder or file name, kept from crossing a slash."""
    translated = fnmatch.translate(part)
    inner = translated.removeprefix("(?s:").removesuffix(r")\Z")
    # fnmatch writes "*" as ".*" and "?" as "."; outside brackets these may not match a slash.
    return re.sub(r"\\.|\[[^\]]*\]|\.", lambda m: "[^/]" if m[0] == "." else m[0], inner)
