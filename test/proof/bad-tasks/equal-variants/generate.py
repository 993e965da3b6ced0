import random

ITEMS = ("bolt", "clamp", "hinge", "latch", "screw", "washer")


def generate(variant):
    rng = random.Random(7)
    shelves = [(item, rng.randint(20, 90)) for item in ITEMS * 4]
    rng.shuffle(shelves)
    lines = [f"{at},{item},{pieces}" for at, (item, pieces) in enumerate(shelves, 1)]
    text = "\n".join(["shelf,item,pieces", *lines, ""])
    (variant.workspace / "counts.csv").write_text(text, encoding="utf-8", newline="\n")
    totals = {item: sum(n for each, n in shelves if each == item) for item in ITEMS}
    return {"totals": totals}
