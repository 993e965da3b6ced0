"""Scripts that play: their calls go out line by line, their answers come back in any order."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from support import FolderCase, environment, write_text


class RunPolicy(FolderCase):
    def play(
        self, script: str, host: dict[str, Any] | None = None, reverse: bool = False
    ) -> tuple[list[dict[str, Any]], str]:
        """Plays the host: answers calls from ``host`` by tool; None closes the stream instead."""
        write_text(self.folder / "solution.py", script)
        process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-B", "-m", "cloche.run_policy"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert process.stdin
        assert process.stdout
        assert process.stderr
        request = {"script": str(self.folder / "solution.py"), "instruction": "do", "variant": 2}
        tools = [{"name": "read_file"}]
        process.stdin.write(json.dumps({**request, "tools": tools}) + "\n")
        process.stdin.flush()
        lines, held = [], []
        for text in process.stdout:
            line = json.loads(text)
            lines.append(line)
            if "call" not in line:
                continue
            answer = (host or {}).get(line["call"]["tool"])
            if answer is None:
                process.stdin.close()
                continue
            held.append({"id": line["id"], **answer})
            if not reverse or len(held) == 3:
                for each in reversed(held):
                    process.stdin.write(json.dumps(each) + "\n")
                process.stdin.flush()
                held = []
        printed = process.stderr.read()
        if not process.stdin.closed:
            process.stdin.close()
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.wait(), 0)
        return lines, printed

    def test_a_script_that_breaks_says_so_once(self) -> None:
        for script, words in (
            ("1/0", "ZeroDivisionError"),
            ("x = 1", "no function solve"),
            ("def solve(agent): raise SystemExit(0)", "SystemExit"),
            ("def solve(agent): return 3", "returned int"),
            ("def solve(agent): agent.call('bad')", "bad: it broke"),
            ("def solve(agent): agent.call('unknown')", "error -32602: no such tool"),
            ("def solve(agent): agent.call('gone')", "HostGone"),
        ):
            with self.subTest(script):
                failing = {"content": [{"type": "text", "text": "it broke"}], "isError": True}
                host = {
                    "bad": {"result": failing},
                    "unknown": {"error": {"code": -32602, "message": "no such tool"}},
                }
                lines, printed = self.play(script, host)
                self.assertRegex(lines[-1]["failed"], words)
                self.assertRegex(printed, words)

    def test_errors_are_results_for_who_asks(self) -> None:
        script = """
from cloche.agent import ToolError
def solve(agent):
    first = agent.call("bad", check=False)
    try:
        agent.call("bad")
    except ToolError as error:
        return f"{first.is_error} {error.result.text} {error.code}"
"""
        bad = {"result": {"content": [{"type": "text", "text": "no"}], "isError": True}}
        self.assertEqual(
            self.play(script, {"bad": bad})[0][-1], {"finish": {"answer": "True no None"}}
        )

    def test_calls_at_once_keep_their_order_whatever_comes_first(self) -> None:
        script = """
def solve(agent):
    print("thinking")
    results = agent.call_all([("a", {"path": "x"}), ("b", {}), ("c", {"tool": 1})])
    one = agent.call_all([])
    words = " ".join(result.text for result in results)
    return words + str(one) + agent.instruction + str(agent.variant)
"""
        host = {name: {"result": {"content": [{"type": "text", "text": name}]}} for name in "abc"}
        lines, printed = self.play(script, host, reverse=True)
        self.assertEqual([line.get("id") for line in lines], [1, 2, 3, None])
        self.assertEqual(lines[0]["call"], {"tool": "a", "arguments": {"path": "x"}})
        self.assertEqual(lines[-1], {"finish": {"answer": "a b c[]do2"}})
        self.assertIn("thinking", printed)

    def test_a_result_gives_its_text_and_structure(self) -> None:
        script = """
def solve(agent):
    result = agent.call("t", x=1)
    assert agent.has_tool("read_file") and not agent.has_tool("t")
    return f"{result.text}|{result.structured}|{len(result.content)}"
"""
        content = [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]
        answer = {"result": {"content": content, "structuredContent": {"k": 1}}}
        lines, _ = self.play(script, {"t": answer})
        self.assertEqual(lines[-1], {"finish": {"answer": "a\nb|{'k': 1}|3"}})
