import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ServerSpec, SHIPPED_SERVERS } from "../runtime/mcp/server-spec.ts";

/** A call that an agent would make often. */
export interface TypicalCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Of each server that is measured, the file server first: the others stand beside it. */
export const TYPICAL_CALLS: Readonly<Record<string, TypicalCall>> = {
  filesystem: { tool: "read_text_file", args: { path: "/workspace/notes.md" } },
  spreadsheet: { tool: "read_range", args: { path: "stock.xlsx", range: "A1:F50" } },
  documents: { tool: "read_document", args: { path: "report.docx" } },
  calendar: { tool: "list_events", args: { start: "2026-03-02", end: "2026-03-13" } },
  mail: { tool: "search_mail", args: { query: "invoice 7" } },
  search: { tool: "search_documents", args: { query: "damaged book" } },
  web: { tool: "read_web_page", args: { url: "http://shop.test/" } },
  memory: { tool: "read_graph", args: {} },
};

/** The task whose rollouts have all of these servers, or one of them. */
export function officeTask(server?: string): string {
  return server === undefined ? "bench/office" : `bench/office-${server}`;
}

/** Writes these tasks into `root`, for `--root`. */
export async function writeOfficeTasks(root: string): Promise<void> {
  const names = Object.keys(TYPICAL_CALLS);
  await writeOfficeTask(root, officeTask(), names);
  for (const name of names) await writeOfficeTask(root, officeTask(name), [name]);
}

async function writeOfficeTask(
  root: string,
  task: string,
  servers: readonly string[],
): Promise<void> {
  const specs: readonly (ServerSpec | undefined)[] = servers.map((name) => SHIPPED_SERVERS[name]);
  const folders = specs.flatMap((spec) => (spec?.kind === "stdio" && spec.state) || []);
  const files = {
    "task.toml": taskToml(task, servers),
    "instruction.md": "Look around.\n",
    "generate.py": `STATE = ${JSON.stringify([...new Set(folders)])}\n${GENERATE}`,
    "grader.py": GRADER,
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, "tasks", task, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

function taskToml(task: string, servers: readonly string[]): string {
  const named = servers.map((name) => `[[environment.mcp_servers]]\nname = "${name}"\n`);
  return `schema_version = "1.4"

[task]
name = "${task}"
description = "Nothing is to be done."

[metadata]
category = "bench"
difficulty = "easy"

[environment]
cpus = 2
memory_mb = 1024
storage_mb = 32

${named.join("\n")}
[cloche]
now = "2026-03-02T09:00:00Z"

[cloche.budget]
calls = 100000
`;
}

/** The files and the state that the typical calls read: some of each, as in a small office. */
const GENERATE = `
import json
from datetime import datetime, timedelta, timezone

from cloche.build import email_text, save_document, save_text, save_workbook
from docx import Document
from openpyxl import Workbook

ME = "ana@example.test"
START = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)


def generate(variant):
    files(variant)
    for name in STATE:
        WRITERS[name](variant.state / name)
    return None


def files(variant):
    save_text(variant.workspace / "notes.md", "A line of notes.\\n" * 200)
    book = Workbook()
    for row in range(1, 301):
        book.active.append([f"P-{row}", f"Product {row}", row, row * 1.25, "Rome", "open"])
    save_workbook(book, variant.workspace / "stock.xlsx", variant.now)
    report = Document()
    for number in range(40):
        report.add_heading(f"Section {number}", 2)
        report.add_paragraph("What was done, and what is left to do. " * 4)
    save_document(report, variant.workspace / "report.docx", variant.now)


def people(folder):
    rows = [{"name": "Ana Ruiz", "email": ME, "timezone": "Europe/Rome", "kind": "person"},
            {"name": "Ben Ode", "email": "ben@example.test", "timezone": "Europe/Rome",
             "kind": "person"}]
    save_text(folder / "people.json", json.dumps({"me": ME, "people": rows}))


def calendar(folder):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN"]
    for number in range(60):
        begin = START + timedelta(hours=6 * number)
        lines += ["BEGIN:VEVENT", f"UID:{number}@example.test", f"DTSTAMP:{START:%Y%m%dT%H%M%SZ}",
                  f"DTSTART:{begin:%Y%m%dT%H%M%SZ}",
                  f"DTEND:{begin + timedelta(hours=1):%Y%m%dT%H%M%SZ}",
                  f"SUMMARY:Meeting {number}", "END:VEVENT"]
    lines += ["END:VCALENDAR", ""]
    save_text(folder / ME / "main.ics", "\\r\\n".join(lines))


def mail(folder):
    for name in ("cur", "new", "tmp"):
        (folder / ME / name).mkdir(parents=True, exist_ok=True)
    for number in range(200):
        date = START - timedelta(hours=number)
        text = email_text(sender="Ben Ode <ben@example.test>", to=f"Ana Ruiz <{ME}>", date=date,
                          subject=f"About invoice {number}", body="It is paid.\\n" * 10,
                          message_id=f"<{number}@example.test>")
        save_text(folder / ME / "cur" / f"{int(date.timestamp())}.M{number}P1Q1.mail:2,S", text)


def search(folder):
    for number in range(300):
        save_text(folder / "handbook" / f"page-{number}.md",
                  f"# Page {number}\\n\\nWho returns a damaged book pays half of its price.\\n" * 5)


def web(folder):
    products = [{"sku": f"P-{number}", "name": f"Paper {number}", "category": "paper",
                 "price_cents": 100 + number, "stock": 9} for number in range(60)]
    site = {"kind": "shop", "title": "Paper", "host": "shop.test", "description": "A shop.",
            "per_page": 12, "delivery": [{"id": "post", "name": "Post", "price_cents": 1, "days": 1}],
            "payment": [{"id": "invoice", "name": "Invoice"}]}
    data = {"categories": [{"id": "paper", "name": "Paper"}], "products": products,
            "accounts": [], "orders": []}
    save_text(folder / "shop" / "site.json", json.dumps(site))
    save_text(folder / "shop" / "data.json", json.dumps(data))


def memory(folder):
    pass


WRITERS = {"people": people, "calendar": calendar, "mail": mail, "search": search, "web": web,
           "memory": memory}
`;

const GRADER = `from cloche import criterion, grade


@criterion("the notes are as they were")
def untouched(run):
    return run.workspace.file("notes.md").sha256 == run.before.file("notes.md").sha256


grade()
`;
