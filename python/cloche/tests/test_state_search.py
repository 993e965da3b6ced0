"""The corpora of a task as graders see them."""

from __future__ import annotations

import unittest
from typing import Any

from cloche import Failed
from cloche.run import Run
from cloche.state.search import Search
from support import FolderCase, write_tree


class Corpora(FolderCase):
    def search(self, files: dict[str, Any]) -> Search:
        root = self.run_folder()
        write_tree(root, "state-before", {})
        write_tree(root, "state-after", {f"search/{path}": text for path, text in files.items()})
        return Run(root).state.search

    def test_broken_json_fails_the_criterion(self) -> None:
        search = self.search({"a/x.json": "{", "a/y.jsonl": '{"a": 1}\n{'})
        with self.assertRaisesRegex(Failed, r"x\.json is not the JSON"):
            search.documents()[0].json()
        with self.assertRaisesRegex(Failed, r"y\.jsonl .* in line 2"):
            search.documents()[1].json()

    def test_nothing_is_no_corpus(self) -> None:
        self.assertEqual(([], []), (self.search({}).corpora(), self.search({}).documents()))

    def test_documents_are_files_of_a_corpus(self) -> None:
        search = self.search(
            {
                "handbook/corpus.json": "{}",
                "handbook/b.MD": "# B",
                "handbook/deep/a.txt": "A",
                "handbook/.hidden/c.txt": "C",
                "handbook/picture.png": b"\x89PNG",
                "news/one.jsonl": '{"id": 1}\n\n{"id": 2}\n',
                "stray.txt": "in no corpus",
            }
        )
        self.assertEqual(["handbook", "news"], search.corpora())
        paths = [each.path for each in search.documents("handbook")]
        self.assertEqual(["b.MD", "deep/a.txt"], paths)
        document = search.document("handbook", "deep/a.txt")
        assert document is not None
        self.assertEqual("A", document.text())
        self.assertIsNone(search.document("news", "deep/a.txt"))
        self.assertEqual([{"id": 1}, {"id": 2}], search.documents("news")[0].json())


if __name__ == "__main__":
    unittest.main()
