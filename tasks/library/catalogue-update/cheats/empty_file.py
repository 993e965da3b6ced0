"""Writes an empty updates.txt, reads it back, and says that there was nothing to update."""


def solve(agent):
    agent.call("list_directory", path="/workspace/reports")
    agent.call("write_file", path="/workspace/updates.txt", content="")
    agent.call("read_text_file", path="/workspace/updates.txt")
    return "No title was gained or lost this month."
