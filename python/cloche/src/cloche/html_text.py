"""What a reader of an HTML mail sees, as plain text: line by line as the mail tools show it."""

from __future__ import annotations

import html
import re

_BLOCKS = set(
    "address article aside blockquote center dd div dl dt fieldset figure footer form h1 h2 h3 h4"
    " h5 h6 header li main nav ol pre section table tr ul".split()
)
_HIDDEN = {"head", "script", "style", "title", "template", "noscript"}
_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_LINK = re.compile(r"\shref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
_ALT = re.compile(r"\salt\s*=\s*\"([^\"]{1,300})\"", re.IGNORECASE)
_TAG = 4_000


def text_of_html(source: str) -> str:
    """Linear in its length, whatever it nests. No style, no script, no tags."""
    parts: list[str] = []
    link, at = "", 0
    while at < len(source):
        start = source.find("<", at)
        parts.append(_plain(source[at : start if start >= 0 else len(source)]))
        if start < 0:
            break
        if source.startswith("<!--", start):
            end = source.find("-->", start)
            at = len(source) if end < 0 else end + 3
            continue
        close = source.find(">", start)
        if close < 0:
            break
        at = close + 1
        tag = source[start : min(at, start + _TAG)]
        found = _NAME.match(tag)
        name, ends = found[1].lower() if found else "", tag.startswith("</")
        if name in _HIDDEN and not ends:
            at = _after(source, at, name)
        elif name == "a":
            if ends and link:
                parts.append(f" <{link}>")
            link = "" if ends else _link(tag)
        else:
            parts.append(_mark(name, ends, tag))
    return _tidy("".join(parts))


#: Zeros before a character's number, and numbers beyond all characters: a long one is no int.
_ZEROS = re.compile(r"(&#x?)0+(?=[0-9a-f])", re.IGNORECASE)
_BEYOND = re.compile(r"&#(?:\d{8,}|x[0-9a-f]{7,});?", re.IGNORECASE)


def _after(source: str, at: int, name: str) -> int:
    found = re.compile(rf"</{name}[^>]{{0,100}}>", re.IGNORECASE).search(source, at)
    return found.end() if found else len(source)


def _mark(name: str, ends: bool, tag: str) -> str:
    if name == "img":
        found = _ALT.search(tag)
        return f"[{_plain(found[1])}]" if found else ""
    marks = {"br": "\n", "hr": "\n----\n", "p": "\n\n", "li": "" if ends else "\n- "}
    if name in ("td", "th"):
        return "\t" if ends else ""
    return marks.get(name, "\n" if name in _BLOCKS else "")


def _link(tag: str) -> str:
    found = _LINK.search(tag)
    url = _plain(next((each for each in found.groups() if each), "").strip()) if found else ""
    return url if re.match(r"(https?|mailto):", url, re.IGNORECASE) else ""


def _plain(text: str) -> str:
    known = _BEYOND.sub("\ufffd", _ZEROS.sub(r"\1", text))
    return html.unescape(re.sub(r"[ \t\r\n\f]+", " ", known))


def _tidy(text: str) -> str:
    lines = (re.sub(r"[ \u00a0]+", " ", line).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
