"""What the agent wrote into its memory: a graph of entities and relations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..files import File, Tree
from .records import parse_json, text_of

MEMORY_FILE = "memory.jsonl"


@dataclass(frozen=True)
class Entity:
    """One thing that is remembered, and what is known of it."""

    name: str
    #: The server's ``entityType``.
    type: str
    observations: tuple[str, ...]


@dataclass(frozen=True)
class Relation:
    """``source`` stands in relation ``type`` to ``target``; both are names of entities."""

    source: str
    #: The server's ``relationType``.
    type: str
    target: str


class Memory:
    """``memory/memory.jsonl``, in the form of @modelcontextprotocol/server-memory; maybe empty."""

    def __init__(self, tree: Tree) -> None:
        self._file = tree.file(MEMORY_FILE)

    def entities(self, *, type: str | None = None) -> list[Entity]:
        """All entities in the order of their making, or those of one type."""
        return [each for each in self._graph[0] if type is None or each.type == type]

    def entity(self, name: str) -> Entity | None:
        """The entity of exactly this name."""
        return next((each for each in self._graph[0] if each.name == name), None)

    def relations(
        self, *, source: str | None = None, type: str | None = None, target: str | None = None
    ) -> list[Relation]:
        """All relations in the order of their making; whatever is given must be equal."""
        return [
            each
            for each in self._graph[1]
            if (source is None or each.source == source)
            and (type is None or each.type == type)
            and (target is None or each.target == target)
        ]

    @cached_property
    def _graph(self) -> tuple[list[Entity], list[Relation]]:
        entities: list[Entity] = []
        relations: list[Relation] = []
        if self._file.kind is None:
            return entities, relations
        for number, line in enumerate(self._file.text().split("\n"), 1):
            if not line.strip():
                continue
            where = f"line {number}"
            data = parse_json(self._file, line, where)
            kind = data.get("type") if isinstance(data, dict) else None
            if kind == "entity":
                entities.append(_entity(self._file, data, where))
            elif kind == "relation":
                relations.append(_relation(self._file, data, where))
            else:
                self._file.reject(f"has neither an entity nor a relation in {where}")
        return entities, relations


def _entity(file: File, data: dict[str, Any], where: str) -> Entity:
    observations = data.get("observations")
    if not isinstance(observations, list) or not all(isinstance(o, str) for o in observations):
        file.reject(f'has no list of texts "observations" in {where}')
    return Entity(
        name=text_of(file, data, "name", where),
        type=text_of(file, data, "entityType", where),
        observations=tuple(observations),
    )


def _relation(file: File, data: dict[str, Any], where: str) -> Relation:
    return Relation(
        source=text_of(file, data, "from", where),
        type=text_of(file, data, "relationType", where),
        target=text_of(file, data, "to", where),
    )
