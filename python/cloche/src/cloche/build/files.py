"""Plain files: text, JSON, zips."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_FIRST_ZIP_YEAR = 1980


def save_text(path: Path, text: str) -> None:
    """Writes UTF-8 text; line ends stay as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def save_json(path: Path, value: Any) -> None:
    """Writes JSON that a person can read, its members in their order."""
    save_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def save_zip(path: Path, members: Mapping[str, bytes], now: datetime) -> None:
    """Writes a zip with these members in this order, all of one moment and mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zip_bytes(members, now))


def in_utc(now: datetime) -> datetime:
    """The moment in UTC; one without a time zone counts as being in it."""
    return now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)


def zip_bytes(members: Mapping[str, bytes], now: datetime) -> bytes:
    """A zip with these members in this order, all of one moment and mode."""
    moment = in_utc(now)
    if moment.year < _FIRST_ZIP_YEAR:
        raise ValueError(f"a zip knows no year before {_FIRST_ZIP_YEAR}: {now}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, moment.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()
