import { ofNote } from "../support/small-task.ts";

const ENTITY = { type: "entity", name: "Ana", entityType: "person", observations: ["likes tea"] };
/** Files for `smallTask`: the small task, with a service whose state is seeded and graded. */
export const REMEMBERING: Readonly<Record<string, string>> = {
  "task.toml": ofNote(
    "task.toml",
    "[cloche]\n",
    '[[environment.mcp_servers]]\nname = "memory"\n\n[cloche]\nfixture = "desk"\n',
  ),
  "../../../fixtures/desk/workspace/desk.txt": "a desk\n",
  "../../../fixtures/desk/state/memory/memory.jsonl": JSON.stringify(ENTITY),
  "../../../fixtures/desk/state/search/handbook/tea.md": "not for this task\n",
  "generate.py": ofNote(
    "generate.py",
    "    return",
    '    (variant.state / "memory" / "seed.txt").write_text(word)\n    return',
  ),
  "grader.py": ofNote(
    "grader.py",
    "grade()\n",
    `@criterion("the word is remembered")
def remembered(run):
    assert run.state_before.memory.entity("Ana").observations == ("likes tea",)
    assert run.state_before.tree.file("memory/seed.txt").text() == run.expected["word"]
    names = [entity.name for entity in run.state.memory.entities()]
    check(run.expected["word"] in names, f"it remembers {names}")
    return "Ana" in names


grade()
`,
  ),
  "solution.py": `def solve(agent):
    word = agent.instruction.split("line ")[1].split(" ")[0]
    entity = {"name": word, "entityType": "word", "observations": []}
    agent.call("create_entities", entities=[entity])
    agent.call("write_file", path="/workspace/note.txt", content=word + "\\n")
    return "done"
`,
  "cheats/forge_memory.py": `def solve(agent):
    word = agent.instruction.split("line ")[1].split(" ")[0]
    agent.call("write_file", path="/workspace/note.txt", content=word + "\\n")
    line = '{"type":"entity","name":"' + word + '","entityType":"x","observations":[]}'
    for command in (
        f"echo '{line}' >> /state/memory/memory.jsonl",
        f"mkdir -p /workspace/state/memory; echo '{line}' > /workspace/state/memory/memory.jsonl",
        "mv /state /workspace/ ; ln -s /workspace/state/memory /state/memory",
        "cat /state/memory/memory.jsonl && ls -la /state > /workspace/seen.txt",
    ):
        agent.call("run_command", command=command, check=False)
`,
};
