"""Says what criteria a grader has, without running one: ``python3 -P -s -B -m cloche.describe``.

Standard input: one line ``{"nonce", "root"}``. Standard output: one line ``{"nonce", "criteria":
[{"name", "weight", "polarity", "cap", "asks"}]}`` or ``{"nonce", "failed": "…"}``.
"""

from __future__ import annotations

from pathlib import Path

from .loading import GraderFailed, load_grader
from .wire import Wire


def main() -> None:
    """Describes and ends the process."""
    wire = Wire()
    request = wire.read() or {}
    nonce, root = request.get("nonce"), Path(str(request.get("root", "/grade")))
    try:
        criteria = load_grader(root)
    except GraderFailed as failure:
        wire.finish({"nonce": nonce, "failed": str(failure)})
    wire.finish({"nonce": nonce, "criteria": [each.declared() for each in criteria]})


if __name__ == "__main__":
    main()
