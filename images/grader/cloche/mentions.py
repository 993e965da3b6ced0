"""Whether a call names a file. First version; hardened below."""
from __future__ import annotations
from dataclasses import dataclass
import json, re

@dataclass(frozen=True)
class Target:
    path: str
    names: tuple[str, ...]
    @classmethod
    def of(cls, path, paths):
        from .files import workspace_path
        name = workspace_path(path)
        parts = name.split("/")
        names = [name]
        for i in range(1, len(parts)):
            suffix = "/".join(parts[i:])
            if not any(p != name and (p == suffix or p.endswith("/" + suffix)) for p in paths):
                names.append(suffix)
        return cls(name, tuple(names))
    def within(self, text):
        return any(re.search(r"(?<![\w.-])" + re.escape(n) + r"(?![\w/-])", text) for n in self.names)

def mentions(step, target):
    return target.within(json.dumps(step.arguments, ensure_ascii=False))

def possible_reads(steps, target):
    return [s for s in steps if mentions(s, target) and not re.search("write|edit|move|list|info|create", s.tool)]

def possible_writes(steps, target):
    return [s for s in steps if mentions(s, target) and (re.search("write|edit|move", s.tool) or ">" in json.dumps(s.arguments))]
