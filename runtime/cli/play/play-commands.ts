import { writeFile } from "node:fs/promises";
import type { Criterion } from "../../grading/grade.ts";
import type { ToolInfo } from "../../mcp/link/handshake.ts";
import type { CalledTool } from "../../mcp/proxy/direct-caller.ts";
import type { Roots } from "../../task/roots.ts";
import { findTask } from "../../task/task-list.ts";
import { asSeeded } from "../../workspace/archive-writer.ts";
import { describeDiff, diffSnapshots } from "../../workspace/diff.ts";
import { criteriaChanges } from "../criteria-changes.ts";
import { cliFault } from "../faults.ts";
import type { Parts } from "../parts.ts";
import { criteriaTable, rewardLines, rolloutReport, stepLine } from "../report.ts";
import { plain, type Terminal, table } from "../terminal.ts";
import { argumentsOf, type PlayLine, parsePlayLine, WORDS } from "./play-line.ts";
import { PlaySession } from "./play-session.ts";
import { solutionText } from "./solution-text.ts";

const LONGEST_READ = 256 * 1024;
const SHOWN_LINES = 400;

/** What a person's lines do. Disposing it ends the play. */
export class PlayCommands implements AsyncDisposable {
  readonly #root: Roots;
  readonly #parts: Parts;
  readonly #terminal: Terminal;
  #session: PlaySession;
  #graded: readonly Criterion[] | undefined;

  constructor(session: PlaySession, root: Roots, parts: Parts, terminal: Terminal) {
    this.#session = session;
    this.#root = root;
    this.#parts = parts;
    this.#terminal = terminal;
  }

  get session(): PlaySession {
    return this.#session;
  }

  /** Carries out one line; resolves with whether the play goes on. Rejects with `cli/bad-line`. */
  async run(line: string): Promise<boolean> {
    const understood = parsePlayLine(line, this.#session.tools);
    if (understood === undefined) return true;
    if (understood.kind === "word") return await this.#word(understood);
    this.#say(shownResult(await this.#session.call(understood.tool, understood.args)));
    const step = this.#session.steps.at(-1);
    if (step !== undefined) this.#terminal.err(stepLine(step, this.#terminal.paint));
    return true;
  }

  /** Begins anew with the task as it is saved now, makes the same calls again, and grades. */
  async reload(): Promise<void> {
    const { task, prepared, steps } = this.#session;
    const fresh = await findTask(this.#root, task.id);
    const next = await PlaySession.open(fresh, prepared.variant, this.#parts);
    try {
      await next.repeat(steps);
    } catch (error) {
      await next[Symbol.asyncDispose]();
      throw error;
    }
    const old = this.#session;
    this.#session = next;
    await old[Symbol.asyncDispose]();
    this.#say(`begun anew, ${steps.length} calls made again\n`);
    await this.#grade(null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }

  async #word({ word, rest }: Extract<PlayLine, { kind: "word" }>): Promise<boolean> {
    const { tools, prepared, steps } = this.#session;
    if (word === "quit") return false;
    if (word === "submit") return await this.#submit(rest === "" ? null : rest);
    if (word === "instruction") this.#say(shownText(prepared.instruction));
    else if (word === "tools") this.#say(table(tools.map(toolRow)));
    else if (word === "help") this.#say(help(rest, tools));
    else if (word === "steps") this.#say(this.#shownSteps());
    else if (word === "files") await this.#files();
    else if (word === "read") await this.#read(rest);
    else if (word === "grade") await this.#grade(rest === "" ? null : rest);
    else if (word === "reload") await this.reload();
    else await this.#save(rest, solutionText(this.#session.task.id, prepared.variant, steps));
    return true;
  }

  async #files(): Promise<void> {
    await using moment = await this.#session.look();
    const before = asSeeded(this.#session.prepared.fixture);
    const lines = describeDiff(diffSnapshots(before, moment.evidence.after), { maxLines: 100 });
    this.#say(lines.length === 0 ? "no file has changed\n" : `${lines.join("\n")}\n`);
    this.#warnUnlessQuiet(moment.isQuiet);
  }

  async #read(path: string): Promise<void> {
    const inside = path.replace(/^\/workspace\//, "");
    await using moment = await this.#session.look();
    const { after, blobs } = moment.evidence;
    const entry = after.entries.find((one) => one.path === inside);
    if (entry?.type !== "file") {
      const what = entry === undefined ? "there is nothing at" : `a ${entry.type} lies at`;
      throw cliFault("bad-line", `read: ${what} /workspace/${inside}; give a file's path`);
    }
    if (entry.size > LONGEST_READ) {
      throw cliFault("bad-line", `read: ${inside} has ${entry.size} bytes, too many to show`);
    }
    const bytes = await blobs.bytes(entry.sha256, LONGEST_READ);
    this.#say(bytes.includes(0) ? `${entry.size} bytes, no text\n` : shownText(String(bytes)));
  }

  async #grade(answer: string | null): Promise<void> {
    const { criteria, reward } = await this.#session.grade(answer);
    const { paint } = this.#terminal;
    this.#say(`${criteriaTable(criteria, paint)}\n`);
    if (reward === null) this.#say("reward  null (a criterion raised: mend grader.py)\n");
    else this.#say(`${rewardLines(reward, paint, this.#session.task.reward).join("\n")}\n`);
    if (this.#graded !== undefined) {
      this.#say(`\nsince the last time:\n${criteriaChanges(this.#graded, criteria, paint)}`);
    }
    this.#graded = criteria;
  }

  async #submit(answer: string | null): Promise<false> {
    const record = await this.#session.submit(answer);
    this.#say(rolloutReport(record, this.#parts.data.bundles, this.#terminal.paint));
    return false;
  }

  async #save(path: string, text: string): Promise<void> {
    if (path === "") throw cliFault("bad-line", "save: give the file to write");
    try {
      await writeFile(path, text, { flag: "wx" });
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      const why = code === "EEXIST" ? `${path} is there already: give another name` : message;
      throw cliFault("bad-line", `save: ${why}`, { cause });
    }
    this.#say(`${this.#session.steps.length} calls saved in ${path}\n`);
  }

  #shownSteps(): string {
    const { paint } = this.#terminal;
    const lines = this.#session.steps.map((step) => stepLine(step, paint));
    return lines.length === 0 ? "no calls yet\n" : lines.join("");
  }

  #warnUnlessQuiet(isQuiet: boolean): void {
    if (!isQuiet) this.#terminal.err("a program in the sandbox is still writing\n");
  }

  #say(text: string): void {
    this.#terminal.out(text);
  }
}

function toolRow({ name, description }: ToolInfo): string[] {
  const [sentence = ""] = String(description ?? "").split(/(?<=\.)\s/);
  return [name, plain(sentence, 110)];
}

function help(name: string, tools: readonly ToolInfo[]): string {
  if (name === "") {
    const words = Object.entries(WORDS).map(([word, rest]) => [word, rest]);
    return table([...words, ["<tool>", "{json} or key=value …"]]);
  }
  const tool = tools.find((one) => one.name === name);
  if (tool === undefined) throw cliFault("bad-line", `help: there is no tool "${name}"`);
  const required = (tool["inputSchema"] as { required?: readonly string[] }).required ?? [];
  const rows = Object.entries(argumentsOf(tool)).map(([key, schema]) => [
    `  ${key}${required.includes(key) ? "" : "?"}`,
    plain(String(schema["type"] ?? "any"), 20),
    plain(String(schema["description"] ?? ""), 100),
  ]);
  return `${shownText(String(tool["description"] ?? tool.name))}${table(rows)}`;
}

/** What came back, its texts as they are but fit for a terminal. */
function shownResult(called: CalledTool): string {
  if ("error" in called)
    return `error ${called.error.code}: ${plain(called.error.message, 2000)}\n`;
  const { content, structuredContent, isError } = called.result;
  const blocks = Array.isArray(content) ? content : [];
  const texts = blocks.map((block: { type?: unknown; text?: unknown }) =>
    typeof block.text === "string" ? shownText(block.text) : `[${plain(String(block.type))}]\n`,
  );
  if (texts.length === 0) texts.push(shownText(JSON.stringify(structuredContent ?? {}, null, 1)));
  return `${isError === true ? "the tool says that it failed: " : ""}${texts.join("")}`;
}

function shownText(text: string): string {
  const lines = text.replace(/\n$/, "").split("\n");
  const shown = lines.slice(0, SHOWN_LINES).map((line) => plain(line.replace(/\r$/, ""), 4000));
  if (lines.length > SHOWN_LINES) shown.push(`… and ${lines.length - SHOWN_LINES} more lines`);
  return `${shown.join("\n")}\n`;
}
