"""Grades the preparation. What must not happen counts only once something was done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from cloche import Run, check, criterion, grade
from cloche.cells import cells_equal
from cloche.dates import same_day, same_instant
from cloche.sheets import Sheet, Workbook, open_workbook, recompute
from cloche.state import State
from cloche.state.calendar import Event
from cloche.state.mail import Message
from cloche.state.sites import Order
from cloche.text import squeeze

BUDGET, NOTE = "budget.xlsx", "notes/workshop.md"
TODAY = "2026-03-02"
SHEET = "2026"
COLUMNS = ("Date", "Line", "Order", "SKU", "Article", "Quantity", "Unit price", "Amount")
CENT = 0.004


@criterion(
    "the workshop is in the first slot that suits all",
    weight=2,
    asks="Take the first slot of the week that the mails name, as long as they say, that "
    "begins on a quarter hour, lies between 09:00 and 17:00 on a working day, and in "
    "which you, everyone who is to take part, and a room with enough seats are free.",
)
def slot(run: Run) -> tuple[bool, str]:
    event = the_event(run)
    wanted = f"{run.expected['start']} to {run.expected['end']}"
    right = same_instant(event.start, run.expected["start"]) and same_instant(
        event.end, run.expected["end"]
    )
    check(right, f"expected {wanted}, found {event.start} to {event.end}")
    check(event.recurrence is None, "the event repeats; it was asked for once")
    return True, wanted


@criterion(
    "the smallest room that is enough and free is booked",
    weight=1,
    asks="Of the rooms that are free then, take the one with the fewest seats that are enough.",
)
def room(run: Run) -> tuple[bool, str]:
    event, wanted = the_event(run), run.expected["room"]
    check(same_instant(event.start, run.expected["start"]), "counts only in the right slot")
    rooms = {each.email for each in run.state.people.rooms} & event.emails
    check(rooms == {wanted["email"]}, f"expected {wanted['email']}, found {shown(rooms)}")
    answer = event.answer_of(wanted["email"])
    check(answer == "accepted", f"{wanted['email']} said {answer}")
    check(holds(run, wanted["email"], event), "the event is not in the calendar of the room")
    return True, f"{wanted['name']} accepted"


@criterion(
    "everyone who takes part is invited, and nobody else",
    weight=2,
    asks="and invite those who take part and the room, and nobody else",
)
def invited(run: Run) -> tuple[bool, str]:
    event, wanted = the_event(run), set(run.expected["people"])
    rooms = {each.email for each in run.state.people.rooms}
    found = event.emails - rooms - {run.expected["me"]}
    check(found == wanted, f"missing: {shown(wanted - found)}; surplus: {shown(found - wanted)}")
    untold = [
        each
        for each in sorted(wanted)
        if not holds(run, each, event) or not was_written_to(run, each, event)
    ]
    check(not untold, f"no invitation reached {shown(untold)}")
    return True, f"{len(wanted)} people have it in calendar and mail"


@criterion(
    "the right articles are ordered, once",
    weight=2,
    asks="Of the products that will do, take the one for which these packs cost least.",
)
def articles(run: Run) -> tuple[Fraction, str]:
    order = the_order(run)
    wanted = {line["sku"]: line["quantity"] for line in run.expected["lines"]}
    found = order.quantities
    right = sum(found.get(sku) == packs for sku, packs in wanted.items())
    surplus = sorted(set(found) - set(wanted))
    score = Fraction(right, len(wanted) + len(surplus))
    return score, f"expected {shown_packs(wanted)}; found {shown_packs(found)}"


@criterion(
    "delivery, payment and address of the order are right",
    weight=1,
    asks="Take the cheapest kind of delivery that arrives on a day before the workshop, and "
    "any delivery date that it allows and that lies before the day of the workshop.",
)
def terms(run: Run) -> tuple[bool, str]:
    order, wanted = the_order(run), run.expected
    check(
        set(order.quantities) & {line["sku"] for line in wanted["lines"]},
        "counts only once an article is right",
    )
    check(order.account == wanted["me"], f"ordered by {order.account or 'a guest'}")
    check(
        order.delivery == wanted["delivery"]["id"],
        f"expected {wanted['delivery']['id']} delivery, found {order.delivery}",
    )
    day = order.delivery_date.isoformat()
    check(wanted["earliest"] <= day < wanted["date"], f"delivered on {day}, too late or too early")
    check(order.payment == "invoice", f"paid by {order.payment}")
    check(
        squeeze(order.reference) == wanted["po"],
        f"expected {wanted['po']}, found {order.reference!r}",
    )
    account = run.state_before.web.site("shop").row("accounts", email=wanted["me"])
    assert account is not None
    saved = account["addresses"][0]
    for part in ("name", "line1", "line2", "postcode", "city", "country"):
        check(order.address[part] == saved.get(part, ""), f"goes to {order.address}")
    check(order.email == wanted["me"], f"is confirmed to {order.email}")
    return True, f"{order.delivery} on {day}, {order.reference}"


@criterion(
    "the order's lines stand in the workbook",
    weight=2,
    asks="one row for each order line and one for the delivery (SKU and article `DELIVERY`, "
    "quantity 1).",
)
def entered(run: Run) -> tuple[Fraction, str]:
    order, rows = the_order(run), Rows(run)
    wanted = {line.sku: (line.name, line.quantity, line.unit_cents) for line in order.lines}
    wanted["DELIVERY"] = ("DELIVERY", 1, order.delivery_cents)
    check(
        set(order.quantities) & {line["sku"] for line in run.expected["lines"]},
        "counts only once an article is right",
    )
    found = rows.new
    right, wrong = 0, list[str]()
    for row in found:
        sku = str(row["SKU"] or "").strip().upper()
        name, packs, cents = wanted.pop(sku, ("", 0, 0))
        problems = [] if name else [f"SKU {sku} is not in the order, or twice"]
        problems += (
            differences(
                row,
                {
                    "Line": run.expected["line"],
                    "Order": order.id,
                    "Article": name,
                    "Quantity": packs,
                    "Unit price": cents / 100,
                    "Amount": packs * cents / 100,
                },
            )
            if name
            else []
        )
        if name and not is_day(row["Date"]):
            problems.append(f"Date is {row['Date']!r}")
        right += not problems
        wrong += [f"row {row['row']}: {'; '.join(problems)}"] if problems else []
    wrong += [f"no row for {sku}" for sku in wanted]
    score = Fraction(right, max(1, right + len(wrong)))
    return score, "; ".join(wrong)[:1500] or f"{right} rows are right"


@criterion(
    "amounts and total are formulas that compute right",
    weight=2,
    asks="The amount in the row `Total` must be a formula that adds up all rows above it.",
)
def formulas(run: Run) -> tuple[bool, str]:
    order, rows = the_order(run), Rows(run)
    check(len(rows.new) == len(order.lines) + 1, f"found {len(rows.new)} new rows")
    for row in rows.new:
        formula = rows.sheet.formula(f"H{row['row']}") or ""
        for column in "FG":
            check(
                re.search(rf"\$?{column}\$?{row['row']}(?!\d)|\[", formula),
                f"H{row['row']} is {formula or row['Amount']!r}, no formula of its row",
            )
    at = rows.total_row
    check(rows.sheet.formula(f"H{at}"), f"H{at} is {rows.sheet.value(f'H{at}')!r}, no formula")
    before = sum(row[5] * row[6] for row in run.expected["rows"])
    wanted = (before + order.total_cents) / 100
    found = rows.sheet.value(f"H{at}")
    check(close(found, wanted), f"expected {wanted:.2f} in H{at}, found {found!r}")
    overview = rows.book.sheet("Overview")
    line = next((at for at in range(4, 8) if overview.value(f"A{at}") == run.expected["line"]), 0)
    check(line, "the budget line is gone from Overview")
    so_far = sum(row[5] * row[6] for row in run.expected["rows"] if row[1] == run.expected["line"])
    found = overview.value(f"E{line}")
    wanted = (so_far + order.total_cents) / 100
    check(close(found, wanted), f"Overview has {found!r} as spent, expected {wanted:.2f}")
    for packs, price in ((3, 7.25), (11, 0.5)):
        follow(rows, packs, price, before, so_far, line)
    return True, f"total {rows.sheet.value(f'H{at}')}"


@criterion(
    "the rest of the workbook is as it was",
    weight=1,
    must_not=True,
    asks="Everything else in the workbook stays, also the chart on `Overview`.",
)
def kept(run: Run) -> tuple[bool, str]:
    rows, wanted = Rows(run), run.expected["rows"]
    check(rows.new, "counts only once rows were entered")
    for row, before in zip(rows.old, wanted):
        day, line, order, sku, article, packs, cents = before
        problems = differences(
            row,
            {
                "Line": line,
                "Order": order,
                "SKU": sku,
                "Article": article,
                "Quantity": packs,
                "Unit price": cents / 100,
            },
        )
        check(not problems and same_day(row["Date"], day), f"row {row['row']}: {problems}")
    was = open_workbook(run.before.file(BUDGET), now=run.context.now)
    check(rows.book.names == was.names, f"sheets are now {rows.book.names}")
    check(not rows.wide, f"something stands right of `Amount` in the sheet {SHEET}: {rows.wide}")
    for name, area in (("2025", ("ABCDEFGH", 12)), ("Overview", ("ABCDF", 9))):
        for at in range(1, area[1]):
            for column in area[0]:
                cell = f"{column}{at}"
                same_formula(rows.book, was, name, cell)
        same_reach(rows.book, was, name)
    spent(rows.book.sheet("Overview"), was.sheet("Overview"), run.expected["line"])
    charts = [part for part in rows.parts if re.fullmatch(r"xl/charts/chart\d+\.xml", part)]
    check(charts, "the chart of Overview is gone")
    model = rows.styles(len(wanted) + 1)
    for row in rows.new:
        found = rows.styles(row["row"])
        check(found == model, f"row {row['row']} has number formats {found}, those above {model}")
    return True, f"{len(wanted)} old rows, {len(rows.book.names)} sheets and the chart are kept"


@criterion(
    "the note says all",
    weight=1,
    asks="Write `/workspace/notes/workshop.md` with these six lines, in this order, and "
    "nothing else",
)
def note(run: Run) -> tuple[Fraction, str]:
    order, wanted = the_order(run), run.expected
    found = [line.strip() for line in run.workspace.file(NOTE).lines() if line.strip()]
    lines = [
        f"Date: {wanted['date']}",
        f"Time: {wanted['time']}",
        f"Room: {wanted['room']['name']}",
        f"Order: {order.id}",
        f"PO: {wanted['po']}",
        f"Total: {money(order)} EUR",
    ]
    right = sum(one == other for one, other in zip(found, lines))
    score = Fraction(right, max(len(lines), len(found)))
    return score, f"expected {lines}, found {found[:8]}"


@criterion(
    "one answer went to who asked, with the right copy",
    weight=1,
    asks="in the thread, once, with a copy to whom the mails say and to nobody else.",
)
def answered(run: Run) -> tuple[bool, str]:
    message = the_answer(run)
    check(message.in_reply_to in run.expected["mails"], "it is no answer to the mails that asked")
    check(message.to == [run.expected["boss"]], f"it went to {shown(message.to)}")
    copies = {*message.cc, *message.bcc}
    check(copies == {run.expected["copy"]}, f"copies went to {shown(copies)}")
    reached = [
        each
        for each in run.state.mail.mailbox(run.expected["boss"]).inbox()
        if each.message_id == message.message_id
    ]
    check(reached, f"it is not in the inbox of {run.expected['boss']}")
    return True, f"to {shown(message.to)}, copy to {shown(copies)}"


@criterion(
    "the answer says what was done and brings the workbook",
    weight=2,
    asks="The answer says the date of the workshop and the total of the order as the note "
    "writes them, the name of the room and the number of the order, and has "
    "`budget.xlsx` attached as it is in the end.",
)
def said(run: Run) -> tuple[bool, str]:
    message, order, wanted = the_answer(run), the_order(run), run.expected
    words = [line for line in message.text.split("\n") if not line.startswith(">")]
    text = " ".join("\n".join(words).split())
    parts = {
        "the date": wanted["date"],
        "the room": wanted["room"]["name"],
        "the order": order.id,
        "the total": money(order),
    }
    missing = [
        f"{what} ({part})"
        for what, part in parts.items()
        if not re.search(rf"(?<![\w.-]){re.escape(part)}(?![\w-]|\.\d)", text)
    ]
    check(not missing, f"it does not say {', '.join(missing)}")
    attached = message.attachment(BUDGET)
    check(attached is not None, f"it has no {BUDGET} attached")
    assert attached is not None
    last = run.workspace.file(BUDGET).bytes()
    check(attached.content == last, f"the attached {BUDGET} is not the one of the workspace")
    Rows(run).require_new()
    return True, "date, room, order, total and the workbook"


@criterion(
    "nothing else was changed",
    weight=1,
    must_not=True,
    asks="Change nothing else: no other event, order or mail, and no other file, except "
    "that you may keep copies of attachments in `/workspace/inbox/`.",
)
def untouched(run: Run) -> tuple[bool, str]:
    event = the_event(run)
    strange = run.workspace.changed().outside(BUDGET, NOTE, "inbox/**")
    check(not strange, f"files changed: {shown(strange)}")
    me = run.expected["me"]
    before = [facts_of(each) for each in mine(run.state_before)]
    now = [facts_of(each) for each in mine(run.state) if each.uid != event.uid]
    changed = [each for each in before if each not in now] + [x for x in now if x not in before]
    check(not changed, f"expected the other events of {me} as they were, changed: {changed[:4]}")
    letters = {(each.folder, each.message_id) for each in run.state.mail.mailbox().messages()}
    gone = [
        each.subject
        for each in run.state_before.mail.mailbox().messages()
        if (each.folder, each.message_id) not in letters
    ]
    check(not gone, f"expected every old mail where it was, not there: {shown(gone)}")
    check(len(run.state.mail.sent()) <= 1, "more than one mail was sent")
    is_now = {order.id: order for order in run.state.web.orders()}
    other = [each.id for each in run.state_before.web.orders() if is_now.get(each.id) != each]
    check(not other, f"an old order has changed: {shown(other)}")
    Rows(run).require_new()
    return True, "only what was asked for"


@criterion(
    "calendars were looked at before, and the mails read",
    weight=1,
    asks="Look at the calendars before you make the event, and at the shop before you answer.",
)
def looked(run: Run) -> tuple[bool, str]:
    the_event(run)
    made = run.steps.calls(tool="create_event", ok=True)
    check(made, "no event was made by create_event")
    before = run.steps.before(made[0])
    asked = [
        *before.calls(tool="find_free_time", ok=True),
        *before.calls(tool="check_availability", ok=True),
    ]
    told = " ".join(str(step.arguments) for step in asked).lower()
    unseen = [
        each for each in run.expected["people"] if each not in told and name(run, each) not in told
    ]
    check(asked and not unseen, f"nobody asked when {shown(unseen)} are free")
    boss_ids = {
        message.id
        for message in run.state_before.mail.inbox()
        if message.message_id in run.expected["mails"]
    }
    read = {step.argument("id") for step in before.calls(tool="read_message", ok=True)}
    check(boss_ids <= read, f"{len(boss_ids - read)} of {len(boss_ids)} mails were not read before")
    return True, f"{len(asked)} questions to the calendars"


def follow(rows: Rows, packs: int, price: float, before: int, so_far: int, line: int) -> None:
    """With other quantities and prices the amounts, the total and what is spent are others."""
    bought = {row["row"]: (packs + n, price + n) for n, row in enumerate(rows.new)}
    inputs = {
        f"{SHEET}!{column}{at}": value
        for at, pair in bought.items()
        for column, value in zip("FG", pair)
    }
    book = recompute(rows.book, inputs)
    amounts = {f"H{at}": count * each for at, (count, each) in bought.items()}
    wanted = {**amounts, f"H{rows.total_row}": before / 100 + sum(amounts.values())}
    for cell, amount in wanted.items():
        found = book.sheet(SHEET).value(cell)
        check(
            close(found, amount),
            f"{cell} is {rows.sheet.formula(cell)}, which would be {found!r} "
            f"with other quantities and prices, expected {amount:.2f}",
        )
    found, amount = book.sheet("Overview").value(f"E{line}"), so_far / 100 + sum(amounts.values())
    check(
        close(found, amount),
        f"Overview would have {found!r} as spent with other quantities and "
        f"prices, expected {amount:.2f}",
    )


class Rows:
    """The sheet 2026: rows that were there, new rows, and the row of the total."""

    def __init__(self, run: Run) -> None:
        file = run.workspace.file(BUDGET)
        self.book = open_workbook(file, now=run.context.now)
        self.sheet = self.book.sheet(SHEET)
        self.file = file
        count = len(run.expected["rows"])
        grid = self.sheet.rows()
        header = [str(v).strip() for v in grid[0][:8]] if grid else []
        check(header == list(COLUMNS), f"the header of the sheet {SHEET} is now {header}")
        totals = [at for at, row in enumerate(grid, 1) if row and squeeze(str(row[0])) == "Total"]
        check(len(totals) == 1, f"expected one row Total in the sheet {SHEET}, found {len(totals)}")
        self.total_row = totals[0]
        filled = len([row for row in grid if row])
        check(self.total_row == filled, "rows stand below Total, or blank ones above")
        rows: list[dict[str, Any]] = [
            {"row": at, **dict(zip(COLUMNS, [*row, *[None] * 8]))}
            for at, row in enumerate(grid[1 : self.total_row - 1], 2)
        ]
        self.old, self.new = rows[:count], rows[count:]
        self.wide = [f"row {at}" for at, row in enumerate(grid, 1) if len(row) > len(COLUMNS)]

    def require_new(self) -> None:
        check(self.new, f"counts only once rows were entered in the sheet {SHEET}")

    @property
    def parts(self) -> list[str]:
        import io
        import zipfile

        return zipfile.ZipFile(io.BytesIO(self.file.bytes())).namelist()

    def styles(self, row: int) -> list[str]:
        import io

        import openpyxl

        if not hasattr(self, "_plain"):
            self._plain = openpyxl.load_workbook(io.BytesIO(self.file.bytes()))[SHEET]
        return [self._plain.cell(row, column).number_format.lower() for column in (1, 7, 8)]


def spent(overview: Sheet, before: Sheet, line: str) -> None:
    """Whether what was spent on the other lines is still computed, and the same."""
    for at in range(4, 8):
        if overview.value(f"A{at}") == line:
            continue
        found, wanted = overview.value(f"E{at}"), before.value(f"E{at}")
        same = overview.formula(f"E{at}") and cells_equal(wanted, found, abs_tol=CENT)
        check(same, f"expected {wanted!r} as spent in Overview!E{at}, found {found!r}")


def same_formula(book: Workbook, was: Workbook, name: str, cell: str) -> None:
    found, before = book.sheet(name).formula(cell), was.sheet(name).formula(cell)
    same = (found is None) == (before is None)
    if same and before is None:
        same = cells_equal(book.sheet(name).value(cell), was.sheet(name).value(cell), abs_tol=CENT)
    check(same, f"{name}!{cell} has changed")


def same_reach(book: Workbook, was: Workbook, name: str) -> None:
    """Whether each row of the sheet ends where it did, and nothing stands below the last."""
    found, before = ([len(row) for row in each.sheet(name).rows()] for each in (book, was))
    check(
        len(found) == len(before),
        f"expected {len(before)} rows in the sheet {name}, found {len(found)}",
    )
    other = [f"row {at}" for at, (one, two) in enumerate(zip(found, before), 1) if one != two]
    check(not other, f"expected as many columns as before in the sheet {name}: {shown(other)}")


def the_event(run: Run) -> Event:
    """The one event that the agent has made in its own calendar."""
    before = {each.uid for each in mine(run.state_before)}
    made = [each for each in run.state.calendar.events() if each.uid not in before]
    check(made, "no event was made")
    check(len(made) == 1, f"expected one new event, found {len(made)}")
    title = squeeze(made[0].title)
    check(title == run.expected["title"], f"the new event has the title {title!r}")
    check(made[0].organizer in (run.expected["me"], None), f"{made[0].organizer} has made it")
    return made[0]


def facts_of(event: Event) -> tuple[object, ...]:
    return (
        event.uid,
        event.title,
        str(event.start),
        str(event.end),
        event.status,
        event.recurrence,
        str(event.occurrence),
        tuple(sorted(event.emails)),
    )


def mine(state: State) -> list[Event]:
    return state.calendar.events(cancelled=True)


def holds(run: Run, address: str, event: Event) -> bool:
    return any(
        each.uid == event.uid and same_instant(each.start, event.start)
        for each in run.state.calendar.events(address)
    )


def was_written_to(run: Run, address: str, event: Event) -> bool:
    inbox = run.state.mail.mailbox(address).inbox()
    return any(event.uid in (message.invitation or "") for message in inbox)


def the_order(run: Run) -> Order:
    """The one order that the agent has placed and not cancelled."""
    before = {each.id for each in run.state_before.web.orders()}
    made = [
        each
        for each in run.state.web.orders()
        if each.id not in before and each.status != "cancelled"
    ]
    check(made, "nothing was ordered")
    check(len(made) == 1, f"expected one order, found {shown(each.id for each in made)}")
    return made[0]


def the_answer(run: Run) -> Message:
    sent = run.state.mail.sent()
    check(sent, "no mail was sent")
    check(len(sent) == 1, f"expected one mail, found {len(sent)} sent")
    return sent[0]


def differences(row: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    return [
        f"{column} is {row[column]!r}, not {value!r}"
        for column, value in wanted.items()
        if not cells_equal(value, row[column], abs_tol=CENT)
    ]


def is_day(value: Any) -> bool:
    return not isinstance(value, (str, int, float)) and value is not None and same_day(value, TODAY)


def close(value: Any, wanted: float) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and abs(value - wanted) < CENT


def money(order: Order) -> str:
    return f"{order.total_cents // 100}.{order.total_cents % 100:02d}"


def name(run: Run, address: str) -> str:
    person = run.state.people.find(address)
    return person.name.lower() if person else address


def shown(values: Iterable[object]) -> str:
    return ", ".join(sorted(str(each) for each in values)) or "none"


def shown_packs(quantities: Mapping[str, int]) -> str:
    return ", ".join(f"{packs} x {sku}" for sku, packs in sorted(quantities.items())) or "nothing"


grade()
