"""Makes the client in threads of the one in asyncio: ``_sync/`` of ``_async/``.

python generate_sync.py           # writes it
python generate_sync.py --check   # says whether it is as it would be written
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "src" / "cloche_client"

RULES = [
    (r"from \.\._opening import Opening\n", ""),
    (r"Opening\[(\w+)\]", r"\1"),
    (r"return Opening\((.*)\)\n", r"return \1\n"),
    (r"Awaitable\[(.*?)\]\]", r"\1]"),
    (r"import Awaitable, ", "import "),
    (
        r"\bAsync(BaseTransport|Cloche|Connection|EndedRollout|Evidence|Group|Heart|Iterator|Rollout)\b",
        r"\1",
    ),
    (r"import async_(\w+) as \1\b", r"import \1"),
    (r"(from \.\._waiting import \w+)\nfrom \.\._waiting import (\w+)\n", r"\1, \2\n"),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"__a(enter|exit)__", r"__\1__"),
]

HEAD = "# Made by generate_sync.py of the module of this name in _async: change it there.\n"
DOOR = '"""The client in threads."""\n'


def sync_of(text: str) -> str:
    """The module as it is without asyncio."""
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return text


def made() -> dict[Path, str]:
    """The files of ``_sync`` as they are to be."""
    files = {PACKAGE / "_sync" / "__init__.py": HEAD + DOOR}
    for source in sorted((PACKAGE / "_async").glob("[a-z]*.py")):
        files[PACKAGE / "_sync" / source.name] = HEAD + sync_of(source.read_text())
    return files


def main() -> None:
    files = made()
    if "--check" not in sys.argv:
        for path, text in files.items():
            path.write_text(text)
        return
    there = set((PACKAGE / "_sync").glob("*.py"))
    wrong = [path for path, text in files.items() if path not in there or path.read_text() != text]
    wrong += sorted(there - set(files))
    if wrong:
        names = ", ".join(f"_sync/{path.name}" for path in wrong)
        sys.exit(f"not as generate_sync.py makes it: {names}; run it")


if __name__ == "__main__":
    main()
