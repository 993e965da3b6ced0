"""Bytes of mails and pages as text, by the names that programs give their encodings."""

from __future__ import annotations

import codecs
import re

#: What browsers and mail programs mean by a name, where Python's codec of that name is narrower.
_MEANT = {
    **dict.fromkeys(("iso88591", "latin1", "l1", "usascii", "ascii", "ansix3.41968"), "cp1252"),
    **dict.fromkeys(("cp1252", "windows1252", "iso88591:1987"), "cp1252"),
    **dict.fromkeys(("iso88599", "latin5", "l5"), "cp1254"),
    **dict.fromkeys(("gb2312", "gbk", "chinese", "gb231280", "cp936"), "gb18030"),
    **dict.fromkeys(("euckr", "ksc56011987", "ksc5601", "korean", "uhc", "windows949"), "cp949"),
    **dict.fromkeys(("shiftjis", "sjis", "mskanji", "windows31j", "ms932"), "cp932"),
    **dict.fromkeys(("tis620", "iso885911", "windows874", "dos874"), "cp874"),
    **dict.fromkeys(("big5", "cnbig5", "big5hkscs"), "big5hkscs"),
    **dict.fromkeys(("macintosh", "mac", "macroman"), "mac_roman"),
    **dict.fromkeys(("maccyrillic", "macukrainian"), "mac_cyrillic"),
    **dict.fromkeys(("iso88598i", "iso88598e", "logical", "visual"), "iso8859_8"),
    **dict.fromkeys(("utf16", "unicode", "ucs2"), "utf-16-le"),
    **dict.fromkeys(("utf8", "unicode11utf8"), "utf-8"),
    **dict.fromkeys(("koi", "koi8"), "koi8_r"),
    "koi8ru": "koi8_u",
}
#: Codecs of Python's that are no encodings of mails.
_NONE = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_BYTES = bytes(range(0x80, 0xA0))
_WINDOWS = {
    code: _BYTES[place : place + 1].decode("cp1252", "ignore") or chr(code)
    for place, code in enumerate(_BYTES)
}


def text_in(data: bytes, charset: str | None) -> str:
    """The bytes as text. A name that nobody knows is taken for Windows' Latin, no name for UTF-8;
    what can't be decoded is replaced."""
    name = _codec(charset)
    if name == "cp1252":
        return data.decode("latin-1").translate(_WINDOWS)
    return data.decode(name, "replace").removeprefix("\ufeff")


def _codec(charset: str | None) -> str:
    if charset is None or not charset.strip():
        return "utf-8"
    label = re.sub(r"^(?:x-ms-|x-|cs)", "", charset.strip().lower())
    plain = re.sub(r"[\s_-]+", "", label)
    if plain in _MEANT:
        return _MEANT[plain]
    try:
        found = codecs.lookup(label)
    except (LookupError, ValueError):
        return "cp1252"
    is_text = getattr(found, "_is_text_encoding", True)
    return found.name if is_text and found.name not in _NONE else "cp1252"
