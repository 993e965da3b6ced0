"""The state of services as graders see it: the tree, people and memory."""

from __future__ import annotations

import json
import unittest
from typing import Any

from cloche import Failed
from cloche.files import FixtureError
from cloche.run import Run
from cloche.state import State
from cloche.state.memory import Entity, Relation
from cloche.state.people import Person
from support import FolderCase, write_tree

PEOPLE = {
    "me": "ana.ruiz@example.test",
    "people": [
        {"name": "Ana Ruiz", "email": "Ana.Ruiz@example.test", "timezone": "Europe/Madrid"},
        {"name": "Bo Lind", "email": "bo.lind@example.test", "kind": "person"},
        {"name": "Room 4", "email": "room.4@example.test", "kind": "room"},
    ],
}
GRAPH = "\n".join(
    json.dumps(line)
    for line in (
        {"type": "entity", "name": "Ana", "entityType": "person", "observations": ["likes tea"]},
        {"type": "entity", "name": "Shop", "entityType": "place", "observations": []},
        {"type": "relation", "from": "Ana", "to": "Shop", "relationType": "owns"},
        {"type": "relation", "from": "Shop", "to": "Ana", "relationType": "owned by"},
    )
)


class StateCase(FolderCase):
    def run_with(self, after: dict[str, Any], before: dict[str, Any] | None = None) -> Run:
        root = self.run_folder()
        write_tree(root, "state-before", before or {})
        write_tree(root, "state-after", after)
        return Run(root)

    def state(self, after: dict[str, Any]) -> State:
        return self.run_with(after).state


class Trees(StateCase):
    def test_a_task_without_state_says_what_to_name(self) -> None:
        run = Run(self.run_folder())
        for read in ("state", "state_before"):
            with self.assertRaisesRegex(FixtureError, r"no services with state; name one in task"):
                getattr(run, read)

    def test_what_is_missing_fails_by_its_place_in_the_sandbox(self) -> None:
        tree = self.state({"mail": None}).tree
        with self.assertRaisesRegex(Failed, "^/state/mail/a/cur/1 does not exist$"):
            tree.within("mail").file("a/cur/1").text()
        with self.assertRaisesRegex(ValueError, "is not the path of a file in /state/mail"):
            tree.within("mail").file("../people/people.json")
        with self.assertRaises(ValueError):
            tree.within("..")

    def test_what_the_fixture_lacks_is_no_failed_check(self) -> None:
        with self.assertRaises(FixtureError):
            self.run_with({}).state_before.tree.within("mail").file("1").text()

    def test_a_tree_within_a_folder_has_what_is_below_it(self) -> None:
        tree = self.state({"mail": None, "mail/a": None, "mail/a/1": "x", "mailing": "y"}).tree
        inner = tree.within("mail")
        self.assertEqual([entry.path for entry in inner.entries], ["a", "a/1"])
        self.assertEqual(inner.file("a/1").text(), "x")
        self.assertEqual(inner.file("/state/mail/a/1").text(), "x")
        self.assertEqual(inner.within("a").file("1").text(), "x")
        self.assertEqual([file.path for file in inner.files()], ["a/1"])
        self.assertEqual(inner.directories(), ["a"])
        self.assertEqual(tree.within("nothing").entries, [])

    def test_changes_are_told_within_a_folder_too(self) -> None:
        before = {"mail/1": "a", "mail/2": "b", "search/x": "c"}
        run = self.run_with({"mail/1": "a", "mail/2": "B", "mail/3": "d", "search/x": "C"}, before)
        changes = run.state.tree.within("mail").changed()
        self.assertEqual((changes.added, changes.modified), (["3"], ["2"]))
        self.assertEqual(run.state.tree.changed().outside("mail/*"), ["search/x"])

    def test_state_is_read_beside_the_workspace(self) -> None:
        root = self.run_folder(after={"a.txt": "mine"})
        write_tree(root, "state-after", {"mail/1": "theirs"})
        run = Run(root)
        self.assertEqual(run.workspace.file("a.txt").text(), "mine")
        self.assertFalse(run.workspace.file("mail/1").exists())
        self.assertEqual(run.state.tree.file("/state/mail/1").text(), "theirs")


class KnownPeople(StateCase):
    def test_a_file_that_is_no_list_of_people_fails_with_its_name(self) -> None:
        deep = "[" * 100_000
        for text, words in (
            ("", "is not the JSON"),
            (deep, "is not the JSON"),
            ('{"me": NaN}', "NaN is no JSON"),
            ("[" * 100 + "]" * 100, "nested deeper"),
            ("[]", "is not an object"),
            ('{"people": {}}', 'no list "people"'),
            ('{"people": [1]}', "something else than an object as person 1"),
            ('{"people": [{"email": "a@b"}]}', "no text 'name' in person 1"),
            ('{"people": [{"name": "A", "email": 1}]}', "no text 'email' in person 1"),
            ('{"people": [{"name": "A", "email": "a@b", "kind": "cat"}]}', "the kind 'cat'"),
            ('{"people": [{"name": "A", "email": "a@b", "timezone": 1}]}', "no text 'timezone'"),
        ):
            people = self.state({"people/people.json": text}).people
            with self.subTest(text[:40]), self.assertRaisesRegex(Failed, words) as failed:
                list(people)
            self.assertIn("/state/people/people.json", str(failed.exception))

    def test_an_agent_who_is_none_of_the_people_fails(self) -> None:
        people = self.state({"people/people.json": '{"me": "eve@example.test"}'}).people
        with self.assertRaisesRegex(Failed, "'eve@example.test', who is not among its people"):
            _ = people.me

    def test_a_world_without_people_has_nobody(self) -> None:
        people = self.state({}).people
        self.assertEqual((len(people), list(people), people.me), (0, [], None))
        self.assertIsNone(people.find("ana.ruiz@example.test"))

    def test_people_are_found_by_address_whatever_its_case(self) -> None:
        people = self.state({"people/people.json": json.dumps(PEOPLE)}).people
        ana = Person("Ana Ruiz", "ana.ruiz@example.test", "person", "Europe/Madrid")
        self.assertEqual(people.me, ana)
        plain = "ana.ruiz@example.test"
        for address in (plain, plain.upper(), f" {plain} ", f"mailto:{plain}"):
            self.assertEqual(people[address], ana)
        with self.assertRaisesRegex(KeyError, "nobody in people.json"):
            _ = people["eve@example.test"]
        self.assertEqual([each.name for each in people.persons], ["Ana Ruiz", "Bo Lind"])
        self.assertEqual([str(each) for each in people.rooms], ["Room 4 <room.4@example.test>"])


class Memories(StateCase):
    def test_a_file_that_is_no_graph_fails_with_its_line(self) -> None:
        entity = {"type": "entity", "name": "A", "entityType": "t", "observations": []}
        for line, words in (
            ("{", "in line 2"),
            ("[]", "neither an entity nor a relation in line 2"),
            ('{"type": "note"}', "neither an entity nor a relation in line 2"),
            (json.dumps({**entity, "name": None}), "no text 'name' in line 2"),
            (json.dumps({**entity, "observations": "x"}), "no list of texts .* in line 2"),
            (json.dumps({**entity, "observations": [1]}), "no list of texts .* in line 2"),
            ('{"type": "relation", "from": "A", "to": "B"}', "no text 'relationType' in line 2"),
        ):
            memory = self.state({"memory/memory.jsonl": f"{json.dumps(entity)}\n{line}"}).memory
            with self.subTest(line), self.assertRaisesRegex(Failed, words):
                memory.entities()

    def test_bytes_that_are_no_text_fail(self) -> None:
        with self.assertRaisesRegex(Failed, "/state/memory/memory.jsonl is not utf-8 text"):
            self.state({"memory/memory.jsonl": b"\xff\xfe"}).memory.relations()

    def test_a_memory_that_is_a_folder_fails(self) -> None:
        with self.assertRaisesRegex(Failed, "is a directory, not a file"):
            self.state({"memory/memory.jsonl": None}).memory.entities()

    def test_a_service_that_kept_nothing_has_an_empty_memory(self) -> None:
        for after in ({}, {"memory": None}, {"memory/memory.jsonl": ""}):
            memory = self.state(after).memory
            self.assertEqual((memory.entities(), memory.relations()), ([], []))

    def test_entities_and_relations_come_in_their_order(self) -> None:
        memory = self.state({"memory/memory.jsonl": GRAPH}).memory
        ana, shop = Entity("Ana", "person", ("likes tea",)), Entity("Shop", "place", ())
        self.assertEqual(memory.entities(), [ana, shop])
        self.assertEqual(memory.entities(type="place"), [shop])
        self.assertEqual((memory.entity("Ana"), memory.entity("ana")), (ana, None))
        self.assertEqual(memory.relations(type="owns"), [Relation("Ana", "owns", "Shop")])
        self.assertEqual(memory.relations(source="Shop"), memory.relations(target="Ana"))
        self.assertEqual(len(memory.relations()), 2)

    def test_line_separators_inside_a_text_end_no_line(self) -> None:
        entity = {"type": "entity", "name": "A\u2028B", "entityType": "t", "observations": ["\r"]}
        text = json.dumps(entity, ensure_ascii=False) + "\n\n"
        self.assertEqual(
            self.state({"memory/memory.jsonl": text}).memory.entities(),
            [Entity("A\u2028B", "t", ("\r",))],
        )


if __name__ == "__main__":
    unittest.main()
