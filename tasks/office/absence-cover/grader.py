"""Grades the cover: calendars as they are, and the mails that say so."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from cloche import Run, check, criterion, grade
from cloche.dates import same_instant
from cloche.state import State
from cloche.state.calendar import Event
from cloche.state.mail import Message
from cloche.text import squeeze

#: A visit as the generator expects it.
Wanted = dict[str, Any]
WEEKS = ("2026-02-20T00:00:00+01:00", "2026-04-20T00:00:00+02:00")
DATED = re.compile(r"\d{4}-\d\d-\d\d")


@criterion(
    "visits that can be covered have the right technician",
    weight=3,
    asks="Of several take the one who has the fewest visits on that day, and of these the "
    "first by name.",
)
def covered(run: Run) -> tuple[Fraction, str]:
    return share(run, [each for each in run.expected["visits"] if each["covered"]])


@criterion(
    "visits that nobody can cover are at the right time",
    weight=3,
    asks="to the first time on a working day after the absence that begins on a full hour, "
    "begins at 09:00 or later, ends by 17:00,",
)
def moved(run: Run) -> tuple[Fraction, str]:
    return share(run, [each for each in run.expected["visits"] if not each["covered"]])


@criterion(
    "visits stand in the calendars of those who do them now, and of no other",
    weight=1,
    asks="a visit that is covered has the new technician invited and the absent one no more;",
)
def known(run: Run) -> tuple[Fraction, str]:
    right, wrong = 0, list[str]()
    for each in run.expected["visits"]:
        if problem_of(run, each):
            wrong.append(f"{each['customer']}: not as it is to be")
            continue
        holders = [
            person.email
            for person in run.state.people.persons
            if person.email != run.expected["me"] and stands(run, person.email, each)
        ]
        right += holders == [each["who"]]
        if holders != [each["who"]]:
            wrong.append(f"{each['customer']}: expected with {each['who']}, found {shown(holders)}")
    return Fraction(right, len(run.expected["visits"])), "; ".join(wrong) or f"all {right}"


@criterion(
    "of the visit that repeats only the occurrence of the absence has changed",
    weight=1,
    must_not=True,
    asks="Of a visit that repeats, only the occurrence during the absence changes.",
)
def series(run: Run) -> tuple[bool, str]:
    weekly = next(each for each in run.expected["visits"] if each["weekly"])
    spared = [each["was"] for each in run.expected["visits"] if each["uid"] == weekly["uid"]]
    before, now = (
        {
            key: value
            for key, value in visits(state).items()
            if key[0] == weekly["uid"] and not any(same_instant(key[1], was) for was in spared)
        }
        for state in (run.state_before, run.state)
    )
    same = sum(now.get(key) == before[key] for key in before)
    check(
        before == now,
        f"other occurrences of {weekly['customer']} have changed: "
        f"expected {len(before)} as they were, found {same}",
    )
    return True, f"{len(before)} other occurrences as they were"


@criterion(
    "the absence stands in the own calendar",
    weight=1,
    asks="from the first to the last day of the absence, with nobody invited.",
)
def absence(run: Run) -> tuple[bool, str]:
    made = new_events(run)
    titled = [each for each in made if squeeze(each.title) == f"Absent: {run.expected['name']}"]
    check(titled, f"expected an event `Absent: {run.expected['name']}`, found {len(made)} new ones")
    check(len(titled) == 1, f"expected one such event, found {len(titled)}")
    event = titled[0]
    check(event.all_day and event.recurrence is None, "it is no single event of whole days")
    first, last = event.start, event.end - timedelta(days=1)
    wanted = tuple(date.fromisoformat(run.expected[name]) for name in ("first", "last"))
    check((first, last) == wanted, f"expected {wanted[0]} to {wanted[1]}, found {first} to {last}")
    check(not event.emails - {run.expected["me"]}, f"{shown(event.emails)} are invited")
    return True, f"{first} to {last}"


@criterion(
    "the newest mail was answered once, with a copy to the lead",
    weight=1,
    asks="in its thread, with a copy to Marta Kovac.",
)
def answered(run: Run) -> tuple[bool, str]:
    message = the_answer(run)
    check(message.in_reply_to == run.expected["mail"], "it answers another mail than the newest")
    check(message.to == [run.expected["absent"]], f"it went to {shown(message.to)}")
    copies = {*message.cc, *message.bcc}
    check(copies == {run.expected["lead"]}, f"copies went to {shown(copies)}")
    return True, f"to {shown(message.to)}, copy to {shown(copies)}"


@criterion(
    "the answer has the right lines",
    weight=2,
    asks="The answer has one line for each of these visits, with its start as it is now, "
    "its title without `Visit: `, and who does it now:",
)
def answer_lines(run: Run) -> tuple[Fraction, str]:
    wanted = [f"{line(each)}: {each['name']}" for each in run.expected["visits"]]
    return lines_of(the_answer(run), wanted)


@criterion(
    "each technician who takes over was written to once, with the right lines",
    weight=2,
    asks="goes to this technician alone and has one line for each visit taken over:",
)
def told(run: Run) -> tuple[Fraction, str]:
    takers = sorted({each["who"] for each in run.expected["visits"] if each["covered"]})
    total, said = Fraction(0), list[str]()
    for who in takers:
        mails = [each for each in other_mails(run) if who in each.recipients]
        if len(mails) != 1:
            said.append(f"{who}: expected one mail, found {len(mails)}")
            continue
        subject = f"Cover for {run.expected['name']}"
        if mails[0].recipients != {who} or squeeze(mails[0].subject) != subject:
            said.append(f"{who}: {mails[0].subject!r} to {shown(mails[0].recipients)}")
            continue
        wanted = [line(each) for each in run.expected["visits"] if each["who"] == who]
        score, reason = lines_of(mails[0], wanted)
        total += score
        said += [f"{who}: {reason}"] if score != 1 else []
    return total / len(takers), "; ".join(said) or f"{len(takers)} technicians"


@criterion(
    "nobody else was written to",
    must_not=True,
    cap=0.5,
    asks="When the calendar is done, write these and no others:",
)
def no_other_mail(run: Run) -> tuple[bool, str]:
    takers = {each["who"] for each in run.expected["visits"] if each["covered"]}
    allowed = {*takers, run.expected["absent"], run.expected["lead"]}
    sent = run.state.mail.sent()
    strange = set().union(*(each.recipients for each in sent)) - allowed
    check(not strange, f"mails went to {shown(strange)}")
    most = len(takers) + 1
    check(len(sent) <= most, f"expected at most {most} mails, found {len(sent)}")
    return True, f"{len(sent)} mails"


@criterion(
    "all else is as it was: visits, other events, files, mails",
    weight=2,
    must_not=True,
    asks="Change nothing else of these visits, no other event, none of the files, and "
    "leave the mails in your inbox.",
)
def untouched(run: Run) -> tuple[bool, str]:
    stray = run.workspace.changed().outside()
    check(not stray, f"files changed: {shown(stray)}")
    gone = {each.key for each in run.state_before.mail.inbox()} - {
        each.key for each in run.state.mail.inbox()
    }
    check(not gone, f"expected all mails in the inbox, found {len(gone)} of them gone")
    before, now = (visits(state) for state in (run.state_before, run.state))
    uids = {each["uid"] for each in run.expected["visits"]}
    changed = [key for key, value in before.items() if now.get(key) != value and key[0] not in uids]
    titles = sorted({before[key][0] for key in changed})
    check(not changed, f"expected as they were: {', '.join(titles)}")
    strange = sorted(
        {
            value[0]
            for key, value in now.items()
            if key not in before and key[0] in {uid for uid, _ in before} - uids
        }
    )
    check(not strange, f"expected no further occurrences, found some of {', '.join(strange)}")
    for key in filter(lambda each: theirs(run, each), now):
        was = next((value for each, value in before.items() if each[0] == key[0]), now[key])
        same = now[key][0] == was[0] and now[key][4:6] in (was[4:6], (was[4], ()))
        check(same, f"expected title, place and repeating of {was[0]} as they were")
    surplus = [
        each.title
        for each in new_events(run)
        if squeeze(each.title) != f"Absent: {run.expected['name']}"
    ]
    check(not surplus, f"new events: {shown(surplus)}")
    return True, f"{len(before)} occurrences looked at"


@criterion(
    "others were asked when they are free before the first change",
    weight=1,
    asks="Look up when people are free before you change the first visit.",
)
def looked(run: Run) -> tuple[bool, str]:
    changes = run.steps.calls(tool="update_event", ok=True)
    check(changes, "no visit was changed")
    before = run.steps.before(changes[0])
    asked = [
        *before.calls(tool="check_availability", ok=True),
        *before.calls(tool="find_free_time", ok=True),
    ]
    words = " ".join(str(step.arguments) for step in asked).lower()
    takers = sorted({each["who"] for each in run.expected["visits"] if each["covered"]})
    unseen = [who for who in takers if who not in words and name(run, who) not in words]
    check(not unseen, f"nobody asked when {shown(unseen)} are free")
    return True, f"{len(asked)} questions"


def share(run: Run, wanted: list[Wanted]) -> tuple[Fraction, str]:
    wrong = [
        f"{each['customer']}: {problem}" for each in wanted if (problem := problem_of(run, each))
    ]
    score = Fraction(len(wanted) - len(wrong), len(wanted))
    return score, "; ".join(wrong) or f"all {len(wanted)} are right"


def problem_of(run: Run, wanted: Wanted) -> str:
    """What is wrong with a visit in the own calendar; empty if nothing is."""
    me = run.expected["me"]
    found = [
        each
        for each in run.state.calendar.events(me, expand=WEEKS)
        if each.uid == wanted["uid"] and is_that(each, wanted)
    ]
    if len(found) != 1:
        return f"expected it once at {wanted['start']}, found it {len(found)} times"
    event = found[0]
    if not same_instant(event.end, wanted["end"]):
        return f"expected until {wanted['end']}, found {event.end}"
    guests = event.emails - {me}
    return "" if guests == {wanted["who"]} else f"expected {wanted['who']}, found {shown(guests)}"


def is_that(event: Event, wanted: Wanted) -> bool:
    """Whether it is this visit at its right time. Of a series, the occurrence of the absence."""
    if not isinstance(event.start, datetime) or not same_instant(event.start, wanted["start"]):
        return False
    return (
        not wanted["weekly"]
        or event.occurrence is None
        or same_instant(event.occurrence, wanted["was"])
    )


def stands(run: Run, who: str, wanted: Wanted) -> bool:
    return any(
        each.uid == wanted["uid"] and is_that(each, wanted)
        for each in run.state.calendar.events(who, expand=WEEKS)
    )


def visits(state: State) -> dict[tuple[str, str], tuple[Any, ...]]:
    """The own events by uid and occurrence, with all that is to stay; cancelled ones too."""
    found: dict[tuple[str, str], tuple[Any, ...]] = {}
    for each in state.calendar.events(expand=WEEKS, cancelled=True):
        at = each.occurrence or each.start
        key = (each.uid, at.isoformat())
        rules = each.component.get("RRULE", ())
        rules = rules if isinstance(rules, (list, tuple)) else [rules]
        written = tuple(rule.to_ical() for rule in rules)
        found[key] = (
            squeeze(each.title),
            each.start.isoformat(),
            each.end.isoformat(),
            tuple(sorted(each.emails)),
            squeeze(each.location),
            written,
            each.status,
        )
    return found


def theirs(run: Run, key: tuple[str, str]) -> bool:
    """Whether this is one of the visits that are to change; of a series, that occurrence."""
    return any(
        key[0] == each["uid"] and (not each["weekly"] or same_instant(key[1], each["was"]))
        for each in run.expected["visits"]
    )


def new_events(run: Run) -> list[Event]:
    before = {each.uid for each in run.state_before.calendar.events(cancelled=True)}
    return [each for each in run.state.calendar.events() if each.uid not in before]


def the_answer(run: Run) -> Message:
    """The one mail to who is absent."""
    found = [each for each in run.state.mail.sent() if run.expected["absent"] in each.recipients]
    check(found, f"no mail was sent to {run.expected['absent']}")
    check(len(found) == 1, f"expected one mail to {run.expected['absent']}, found {len(found)}")
    return found[0]


def other_mails(run: Run) -> list[Message]:
    return [each for each in run.state.mail.sent() if run.expected["absent"] not in each.recipients]


def line(visit: Wanted) -> str:
    return f"{datetime.fromisoformat(visit['start']):%Y-%m-%d %H:%M} {visit['customer']}"


def lines_of(message: Message, wanted: list[str]) -> tuple[Fraction, str]:
    """The share of right lines among those wanted and those that are wrong."""
    own = [" ".join(each.split()) for each in message.text.split("\n") if not each.startswith(">")]
    found = [each for each in own if DATED.match(each)]
    right = [each for each in wanted if found.count(each) == 1]
    wrong = [each for each in found if each not in wanted]
    wrong += [each for each in set(found) if each in wanted and found.count(each) > 1]
    missing = [each for each in wanted if each not in right]
    score = Fraction(len(right), len(wanted) + len(wrong))
    return score, f"missing: {shown(missing)}; wrong: {shown(wrong)}"


def name(run: Run, address: str) -> str:
    person = run.state.people.find(address)
    return person.name.lower() if person else address


def shown(values: Iterable[object]) -> str:
    return ", ".join(sorted(str(each) for each in values)) or "none"


grade()
