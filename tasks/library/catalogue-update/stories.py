"""Small stories, each of which puts one rule of instruction.md to the test with its own titles."""

from datetime import date, timedelta

from month import Line, Month


def fill_shelves(month: Month) -> None:
    """The many titles that no report mentions, with last year's comings and goings."""
    for _ in range(month.rng.randint(170, 200)):
        book = month.book()
        month.hold(book, month.rng.choice([1, 1, 1, 2, 2, 3]))
        if month.rng.random() < 0.12:
            month.hold(book, 1, collection="Reference", status="On shelf")
    for _ in range(month.rng.randint(10, 14)):
        month.hold(month.book(), 1, acquired=this_year(month))
    for _ in range(month.rng.randint(8, 12)):
        month.hold(month.book(), 1, withdrawn=this_year(month))


def story_plain_delivery(month: Month) -> None:
    for _ in range(month.rng.randint(3, 5)):
        book, number = month.book(), month.rng.randint(1, 4)
        month.deliver(book, number)
        month.promise(book, f"ADD {number}", "delivered and not held before")
    short = month.book()
    month.deliver(short, 2, ordered=5)
    month.promise(short, "ADD 2", "5 were ordered, 2 delivered")
    for _ in range(month.rng.randint(1, 2)):
        book = month.book()
        month.deliver(book, 0, ordered=month.rng.randint(1, 3))
        month.promise(book, None, "ordered, but 0 delivered")
    twice = month.book()
    month.deliver(twice, 1, isbn=twice.written("hyphens"))
    month.deliver(twice, 2, isbn=twice.written("ten"))
    month.promise(twice, "ADD 3", "two lines of the delivery, written in two ways, add up")


def story_delivery_of_what_is_held(month: Month) -> None:
    for _ in range(month.rng.randint(3, 4)):
        book = month.book()
        month.hold(book, month.rng.randint(1, 3))
        month.deliver(book, month.rng.randint(1, 2))
        month.promise(book, None, "delivered, but the title is held already")
    for _ in range(month.rng.randint(2, 3)):
        since = month.book()
        month.hold(since, 1, acquired=this_year(month))
        month.deliver(since, 1)
        month.promise(since, None, "delivered, but held since this year (not in the old export)")
    missing = month.book()
    month.hold(missing, 1, status="Missing")
    month.deliver(missing, 1)
    month.promise(missing, None, "delivered, but held: a copy with the status Missing counts")
    for _ in range(month.rng.randint(2, 3)):
        gone = month.book()
        month.hold(gone, month.rng.randint(1, 2), withdrawn=this_year(month))
        month.deliver(gone, 2)
        month.promise(gone, "ADD 2", "its old copies were withdrawn this year: not held any more")
    hardback = month.book()
    month.hold(hardback, 2)
    paperback = month.book(like=hardback)
    month.deliver(paperback, 3)
    month.promise(paperback, "ADD 3", "only another edition of the work is held")


def story_delivery_corrected(month: Month) -> None:
    fewer = month.book()
    line = month.deliver(fewer, 4)
    month.correct("delivery", line, f"{line.reference}: delivered 2, not 4.", number=2)
    month.promise(fewer, "ADD 2", "the delivery's correction says 2, not 4")
    right = month.book()
    misprint = month.rng.random() < 0.5
    printed = month.book()
    shown = right.misprinted() if misprint else printed.written("hyphens")
    line = month.deliver(right, 1, isbn=shown)
    said = f"{line.reference}: the ISBN should read {right.written('hyphens')}."
    month.correct("delivery", line, said, isbn=right.written("hyphens"))
    month.promise(right, "ADD 1", "the delivery's correction gives this ISBN")
    if not misprint:
        month.promise(printed, None, "the delivery's correction replaces this ISBN by another")
    absent = month.book()
    line = month.deliver(absent, 1)
    said = f"{line.reference}: was not in the boxes after all; please disregard this line."
    month.correct("delivery", line, said, void=True)
    month.promise(absent, None, "the delivery's correction takes the line back")


def story_wrong_check_digits(month: Month) -> None:
    for act in (month.deliver, month.deliver, month.give):
        book = month.book()
        act(book, month.rng.randint(1, 2), isbn=book.misprinted())
        month.promise(book, None, "its line has a wrong check digit and is ignored")
    held = month.book()
    month.hold(held, 1)
    month.weed(held, isbn=held.misprinted())
    month.promise(held, None, "its purge line has a wrong check digit and is ignored")


def story_plain_donations(month: Month) -> None:
    for _ in range(month.rng.randint(3, 4)):
        book, number = month.book(), month.rng.randint(1, 3)
        month.give(book, number)
        month.promise(book, f"ADD {number}", "an accepted gift, not held before")
    for _ in range(month.rng.randint(2, 3)):
        book = month.book()
        month.hold(book, month.rng.randint(1, 2))
        month.give(book, 1)
        month.promise(book, None, "an accepted gift, but the title is held already")
    for verdict, least in (("declined", 2), ("undecided", 1)):
        for _ in range(month.rng.randint(least, least + 1)):
            book = month.book()
            month.give(book, month.rng.randint(1, 2), verdict)
            month.promise(book, None, f"the gift is {verdict}")
    two_givers, half = month.book(), month.book()
    month.give(two_givers, 1)
    month.give(two_givers, 1)
    month.promise(two_givers, "ADD 2", "two accepted gifts of one title add up")
    month.give(half, 2)
    month.give(half, 1, "declined")
    month.promise(half, "ADD 2", "one gift of it is accepted (2), the other declined")


def story_donations_corrected(month: Month) -> None:
    mould, more, late = month.book(), month.book(), month.book()
    line = month.give(mould, 1)
    month.correct("donations", line, "Decision: declined", verdict="declined")
    month.promise(mould, None, "the donations' second sheet declines it")
    line = month.give(more, 1)
    month.correct("donations", line, "Copies: 3", number=3)
    month.promise(more, "ADD 3", "the donations' second sheet says 3 copies, not 1")
    line = month.give(late, 2, "undecided")
    month.correct("donations", line, "Decision: accepted", verdict="accepted")
    month.promise(late, "ADD 2", "the donations' second sheet accepts it")


def story_plain_damage(month: Month) -> None:
    for number in [1] * month.rng.randint(2, 3) + [2] * month.rng.randint(1, 2):
        book = month.book()
        for copy in month.hold(book, number, status="In repair"):
            month.harm(copy)
        month.promise(book, "DELETE", "every copy is written off")
    for number in [2] * month.rng.randint(1, 2) + [3]:
        book = month.book()
        month.harm(month.hold(book, number)[0])
        month.promise(book, None, f"one of its {number} copies is written off, others remain")
    for verdict in ("repairable", "repairable", "pending"):
        book = month.book()
        month.harm(month.hold(book, 1)[0], verdict)
        month.promise(book, None, f"its only copy is {verdict} and stays")
    reference = month.book()
    month.harm(month.hold(reference, 1, collection="Reference")[0])
    month.promise(reference, "DELETE", "its only copy, in the reference collection, is written off")


def story_damage_by_the_copy(month: Month) -> None:
    twice = month.book()
    copy = month.hold(twice, 2)[0]
    month.harm(copy)
    month.harm(copy)
    month.promise(twice, None, "one of two copies is written off, but reported twice")
    forms = month.book()
    copy = month.hold(forms, 1, how="hyphens")[0]
    month.hold(forms, 1, how="plain")
    month.harm(copy)
    month.promise(forms, None, "its second copy, with the ISBN written in another way, remains")
    earlier = month.book()
    month.harm(month.hold(earlier, 1, withdrawn=this_year(month))[0])
    month.hold(earlier, 1)
    month.promise(earlier, None, "the written-off barcode was withdrawn before; one copy is held")
    for _ in range(2):
        newer = month.book()
        month.harm(month.hold(newer, 1)[0])
        month.hold(newer, 1, acquired=this_year(month))
        month.promise(newer, None, "a second copy came this year (not in the old export)")
        fewer = month.book()
        month.harm(month.hold(fewer, 1)[0])
        month.hold(fewer, 1, withdrawn=this_year(month))
        month.promise(fewer, "DELETE", "one copy was withdrawn this year, the last is written off")


def story_damage_corrected(month: Month) -> None:
    saved, lost = month.book(), month.book()
    line = month.harm(month.hold(saved, 1)[0])
    month.correct("damage", line, "repairable", verdict="repairable")
    month.promise(saved, None, "the damage report's last page makes its only copy repairable")
    line = month.harm(month.hold(lost, 1)[0], "repairable")
    month.correct("damage", line, "write-off", verdict="write-off")
    month.promise(lost, "DELETE", "the damage report's last page writes its only copy off")


def story_plain_purge(month: Month) -> None:
    one, other = month.rng.sample(list(month.branches), 2)
    for _ in range(month.rng.randint(2, 3)):
        book = month.book()
        month.hold(book, month.rng.randint(1, 3))
        month.weed(book)
        month.promise(book, "DELETE", "purged in all branches, all copies lending")
    ways = month.book()
    month.hold(ways, 1, how="ten")
    month.hold(ways, 1, how="number")
    month.weed(ways)
    month.promise(ways, "DELETE", "purged; its copies are written in two ways in the catalogue")
    local = month.book()
    month.hold(local, 2, branch=one)
    month.weed(local, one)
    month.promise(local, "DELETE", "purged in the one branch that has it")
    for _ in range(month.rng.randint(1, 2)):
        kept = month.book()
        month.hold(kept, month.rng.randint(1, 2))
        month.hold(kept, 1, collection="Reference", status="On shelf")
        month.weed(kept)
        month.promise(kept, None, "purged, but a reference copy stays")
    elsewhere, unknown = month.book(), month.book()
    month.hold(elsewhere, 1, branch=one)
    month.hold(elsewhere, 1, branch=other)
    month.weed(elsewhere, one)
    month.promise(elsewhere, None, "purged in one branch only; another branch keeps its copy")
    month.hold(unknown, 1, withdrawn=this_year(month))
    month.weed(unknown)
    month.promise(unknown, None, "purged, but not held any more")


def story_purge_corrected(month: Month) -> None:
    one, other = month.rng.sample(list(month.branches), 2)
    struck, wider = month.book(), month.book()
    month.hold(struck, month.rng.randint(1, 2))
    line = month.weed(struck)
    month.correct(
        "purge", line, f"strike {line.reference}, a reading group has asked for it", void=True
    )
    month.promise(struck, None, "the purge's postscript strikes it from the list")
    month.hold(wider, 1, branch=one)
    month.hold(wider, 1, branch=other)
    line = month.weed(wider, one)
    month.correct(
        "purge", line, f"{line.reference} is for all branches after all", where="all branches"
    )
    month.promise(wider, "DELETE", "the purge's postscript extends it to all branches")
    for _ in range(month.rng.randint(2, 3)):
        book = month.book()
        month.hold(book, 1)
        month.draft.append(Line(month.code("SP-", 5), book.written("hyphens"), book.title))
        month.promise(book, None, "only in the quoted draft of the purge")


def story_two_reports(month: Month) -> None:
    one, other = month.rng.sample(list(month.branches), 2)
    for _ in range(month.rng.randint(1, 2)):
        both = month.book()
        month.deliver(both, 2)
        month.give(both, 1)
        month.promise(both, "ADD 3", "2 delivered and 1 given add up")
    halves = month.book()
    month.harm(month.hold(halves, 1, branch=one)[0])
    month.hold(halves, 1, branch=other)
    month.weed(halves, other)
    month.promise(halves, "DELETE", "one copy is written off, the other purged")
    replaced, renewed, fresh = month.book(), month.book(), month.book()
    month.harm(month.hold(replaced, 1)[0])
    month.deliver(replaced, 1)
    month.promise(replaced, None, "its last copy is written off, but a new one was delivered")
    month.hold(renewed, 2)
    month.weed(renewed)
    month.deliver(renewed, 1)
    month.promise(renewed, None, "purged, but the delivered copy stays")
    month.weed(fresh)
    month.deliver(fresh, 2)
    month.promise(fresh, "ADD 2", "in the purge list but not held; the delivered copies count")
    given, refused = month.book(), month.book()
    month.hold(given, 2)
    month.weed(given)
    month.give(given, 1)
    month.promise(given, "DELETE", "purged; a gift of a title in the purge list does not count")
    month.weed(refused, other)
    month.give(refused, 1)
    month.promise(refused, None, "not held; a gift of a title in the purge list does not count")


def this_year(month: Month) -> date:
    return date(2026, 1, 5) + timedelta(days=month.rng.randrange(45))


STORIES = [
    story_plain_delivery,
    story_delivery_of_what_is_held,
    story_delivery_corrected,
    story_wrong_check_digits,
    story_plain_donations,
    story_donations_corrected,
    story_plain_damage,
    story_damage_by_the_copy,
    story_damage_corrected,
    story_plain_purge,
    story_purge_corrected,
    story_two_reports,
]
