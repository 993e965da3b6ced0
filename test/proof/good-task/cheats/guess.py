def solve(agent):
    agent.call("write_file", path="/workspace/totals.csv", content="item,pieces\nbolt,200\n")
