import { addDays, now, today } from "../dates.ts";
import { nextId } from "../store.ts";
import {
  type Hold,
  type LibraryConfig,
  type LibraryData,
  type Loan,
  type Member,
  ON_HOLD_SHELF,
  ON_LOAN,
  type Title,
} from "./data.ts";

// The rules of lending. Each function changes the rows it is given, or answers with a sentence
// that says why not and changes nothing.

type Result<T> = { readonly done: T } | { readonly problem: string };

export function placeHold(
  { data, config }: { data: LibraryData; config: LibraryConfig },
  member: Member,
  title: Title,
  branch: string,
): Result<Hold> {
  if (member.blocked !== "") return { problem: `Your card is blocked: ${member.blocked}.` };
  const open = data.holds.filter((hold) => hold.member === member.card && isOpen(hold));
  const same = open.find((hold) => hold.title === title.id);
  if (same !== undefined) return { problem: `You already have a hold on this title (${same.id}).` };
  if (openLoans(data, member).some((loan) => titleOf(data, loan.item) === title.id)) {
    return { problem: "You have this title on loan." };
  }
  if (open.length >= config.max_holds) {
    return {
      problem: `You have ${open.length} holds; more than ${config.max_holds} are not possible.`,
    };
  }
  const copies = data.items.filter((item) => {
    return item.title === title.id && ["available", ON_LOAN, ON_HOLD_SHELF].includes(item.status);
  });
  if (copies.length === 0) return { problem: "The library has no copy of this title to lend." };
  const id = nextId(data.counters, "hold", { prefix: "H-", taken: data.holds });
  const hold: Hold = {
    ...{ id, title: title.id, member: member.card, branch, placed_at: now() },
    ...{ status: "waiting", item: null },
  };
  data.holds.push(hold);
  return { done: hold };
}

/** A copy from the shelf for a hold that waits; one at its branch before others. */
export function setAside(data: LibraryData, hold: Hold): Result<string> {
  if (hold.status !== "waiting") return { problem: `The hold ${hold.id} is ${hold.status}.` };
  const first = data.holds.find((each) => each.title === hold.title && each.status === "waiting");
  if (first !== undefined && first !== hold) {
    return { problem: `${first.id} waits longer for this title. Set a copy aside for it first.` };
  }
  const free = data.items.filter((item) => {
    return item.title === hold.title && item.status === "available";
  });
  const item = free.find(({ branch }) => branch === hold.branch) ?? free[0];
  if (item === undefined) return { problem: "No copy of this title is available now." };
  item.status = ON_HOLD_SHELF;
  Object.assign(hold, { status: "ready", item: item.barcode });
  return { done: item.barcode };
}

export function cancelHold(data: LibraryData, hold: Hold): void {
  const { item } = hold;
  hold.status = "cancelled";
  hold.item = null;
  if (item !== null) toShelf(data, item);
}

export function renew(
  { data, config }: { data: LibraryData; config: LibraryConfig },
  member: Member,
  loan: Loan,
): Result<Loan> {
  if (member.blocked !== "") return { problem: `Your card is blocked: ${member.blocked}.` };
  if (loan.renewals >= config.max_renewals) {
    return { problem: `This loan was renewed ${loan.renewals} times; that is the most.` };
  }
  const title = titleOf(data, loan.item);
  if (data.holds.some((hold) => hold.title === title && hold.status === "waiting")) {
    return { problem: "Another reader is waiting for this title; it cannot be renewed." };
  }
  const due = addDays(today(), config.loan_days);
  if (due <= loan.due_on) return { problem: "It is too early to renew this loan." };
  loan.due_on = due;
  loan.renewals += 1;
  return { done: loan };
}

export function lend(
  { data, config }: { data: LibraryData; config: LibraryConfig },
  card: string,
  barcode: string,
): Result<Loan> {
  const member = data.members.find((each) => each.card === card);
  if (member === undefined) return { problem: `There is no member with the card ${card}.` };
  const item = data.items.find((each) => each.barcode === barcode);
  if (item === undefined) return { problem: `There is no item with the barcode ${barcode}.` };
  if (member.blocked !== "") return { problem: `The card is blocked: ${member.blocked}.` };
  const count = openLoans(data, member).length;
  if (count >= config.max_loans) return { problem: `${member.name} has ${count} loans already.` };
  const ready = data.holds.find((each) => each.item === barcode && each.status === "ready");
  const own = ready?.member === card;
  if (item.status !== "available" && !(item.status === ON_HOLD_SHELF && own)) {
    const why = ready === undefined ? "" : ` for the hold ${ready.id}`;
    return { problem: `${barcode} cannot be lent: it is ${item.status}${why}.` };
  }
  const hold =
    ready ??
    data.holds.find((each) => {
      return each.member === card && each.title === item.title && each.status === "waiting";
    });
  if (hold !== undefined) Object.assign(hold, { status: "collected", item: barcode });
  item.status = ON_LOAN;
  const id = nextId(data.counters, "loan", { prefix: "L-", taken: data.loans });
  const due = addDays(today(), config.loan_days);
  const loan: Loan = {
    ...{ id, item: barcode, member: card, lent_on: today(), due_on: due },
    ...{ returned_on: null, renewals: 0 },
  };
  data.loans.push(loan);
  return { done: loan };
}

/** What is done says where the item goes. */
export function takeBack(data: LibraryData, barcode: string): Result<string> {
  const item = data.items.find((each) => each.barcode === barcode);
  if (item === undefined) return { problem: `There is no item with the barcode ${barcode}.` };
  const loan = data.loans.find((each) => each.item === barcode && each.returned_on === null);
  if (loan === undefined) return { problem: `${barcode} is not on loan: it is ${item.status}.` };
  loan.returned_on = today();
  const late = today() > loan.due_on ? ` It was due on ${loan.due_on}.` : "";
  const hold = toShelf(data, barcode);
  const where =
    hold === undefined
      ? "It is available again."
      : `Put it on the hold shelf at ${hold.branch} for ${hold.member} (${hold.id}).`;
  return { done: `${barcode} was returned.${late} ${where}` };
}

/** A free copy goes to who has waited longest, or on the shelf. */
function toShelf(data: LibraryData, barcode: string): Hold | undefined {
  const item = data.items.find((each) => each.barcode === barcode);
  if (item === undefined) return undefined;
  const next = data.holds.find((hold) => hold.title === item.title && hold.status === "waiting");
  item.status = next === undefined ? "available" : ON_HOLD_SHELF;
  if (next !== undefined) Object.assign(next, { status: "ready", item: barcode });
  return next;
}

export function isOpen({ status }: Hold): boolean {
  return status === "waiting" || status === "ready";
}

export function openLoans({ loans }: LibraryData, { card }: Member): readonly Loan[] {
  return loans.filter((loan) => loan.member === card && loan.returned_on === null);
}

export function titleOf({ items }: LibraryData, barcode: string): string | undefined {
  return items.find((item) => item.barcode === barcode)?.title;
}
