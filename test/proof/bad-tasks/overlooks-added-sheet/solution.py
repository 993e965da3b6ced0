from collections import Counter


def solve(agent):
    agent.call("list_directory", path="/workspace")
    text = agent.call("read_text_file", path="/workspace/counts.csv").text
    totals = Counter()
    for line in text.split("\n")[1:]:
        if line:
            _, item, pieces = line.split(",")
            totals[item] += int(pieces)
    rows = [["item", "pieces"], *([item, totals[item]] for item in sorted(totals))]
    agent.call("create_workbook", path="totals.xlsx", sheets=["Totals"])
    agent.call("write_range", path="totals.xlsx", sheet="Totals", cell="A1", values=rows)
    return f"{len(totals)} items"
