import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemClock } from "../../runtime/base/clock.ts";
import type { Engine, SandboxSpec } from "../../runtime/engine/engine.ts";
import { gradeBytes } from "../../runtime/grading/grade-run.ts";
import { regrade } from "../../runtime/rollout/regrade/regrade.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { isRunsc } from "../support/oci-runtime.ts";
import { ofNote } from "../support/small-task.ts";
import { type Aftermath, type Arena, openArena } from "./arena.ts";

const NEVER = new AbortController().signal;
const HEAD = "import os, sys, time, json\nfrom cloche import check, criterion, grade, fail\n\n";

/** A grader of one criterion with this body. */
function judging(body: string): string {
  const lines = body.split("\n").map((line) => `    ${line}\n`);
  return `${HEAD}@criterion("it")\ndef it(run):\n${lines.join("")}\n\ngrade()\n`;
}

describe("graders: what they may answer, what they may read, and what runs for them", () => {
  let arena: Arena;

  before(async () => {
    arena = await openArena();
  });

  after(async () => {
    await arena?.[Symbol.asyncDispose]();
  });

  const judged = (grader: string, more = {}, command?: string): Promise<Aftermath> =>
    arena.attack(async ({ run }) => void (command && (await run(command))), {
      task: { "grader.py": grader, ...more },
    });

  it("T25 no score but a finite number from 0 to 1 is one, and no other words are a verdict", async () => {
    const scores = ["float('nan')", "1e999", "'1'", "2", "-1", "None", "10**400", "[1]", "1j"];
    const all = scores.map((score, index) => {
      return `@criterion("c${index}")\ndef c${index}(run):\n    return ${score}\n\n`;
    });
    const deaths = ["os._exit(0)", "os.write(1, b'{\"criteria\": []}'); os.kill(os.getpid(), 9)"];
    const graders = [`${HEAD}${all.join("")}grade()\n`, ...deaths.map(judging)];
    const records = await inPairs(graders, async (grader) => (await judged(grader)).record);
    for (const record of records) assertGraderError(record);
    const [scored] = records;
    assert.deepEqual(
      scored?.criteria?.map(({ score }) => score),
      scores.map(() => null),
    );
    const zero = await judged(judging("return -0.0"));
    assert.deepEqual(zero.record.reward, { sparse: 0, dense: 0, gain: 0 });
    assert.equal(Object.is(zero.record.reward?.dense, -0), false);
  });

  it("T25 output without end, a verdict of its own, and other criteria than declared change nothing", async () => {
    const shifting = `${HEAD}@criterion("it")\ndef it(run):\n    return False\n
if os.path.exists("/grade/after.json"):
    criterion("bonus", weight=999)(lambda run: True)
grade()\n`;
    const loud = judging(
      'for fd in (1, 2):\n    for n in range(3000): os.write(fd, b\'{"nonce":"x"}\' * 6000)\nreturn False',
    );
    const [shifty, flood] = await inPairs(
      [shifting, loud],
      async (one) => (await judged(one)).record,
    );
    assertGraderError(shifty);
    assert.equal(shifty?.fault?.code, "grading/bad-verdict");
    assert.deepEqual([flood?.outcome, flood?.reward?.dense], ["graded", 0]);
  });

  it("T26 a grader that hangs, forks or calls out is ended, alone, and reaches nobody", async () => {
    const brief = {
      "task.toml": ofNote("task.toml", "[cloche]", "[verifier]\ntimeout_sec = 3\n[cloche]"),
    };
    const [hangs, forks] = await inPairs(
      [
        "time.sleep(600)",
        "while True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(600)",
      ],
      async (body) => (await judged(judging(body), brief)).record,
    );
    for (const record of [hangs, forks]) assertGraderError(record);
    assert.equal(hangs?.fault?.code, "grading/timed-out");
    // A fork bomb may overrun gVisor's own kernel, and so its box, before the time is over.
    const ends = isRunsc ? ["grading/timed-out", "grading/no-verdict"] : ["grading/timed-out"];
    assert.ok(ends.includes(forks?.fault?.code ?? ""), forks?.fault?.message);
    const lonely = judging(
      "import socket\ns = socket.socket()\ns.settimeout(2)\ntry:\n    s.connect(('1.1.1.1', 53))\n" +
        "    return True\nexcept OSError:\n    return False",
    );
    assert.equal((await judged(lonely)).record.reward?.dense, 0);
  });

  it("T27 time, chance, hashes and order are the same each time; what differs is seen", async () => {
    const steady =
      'import random, socket\nbag = {"a", "b", "c", "d", "e"}\n' +
      "return (0.5, f'{list(bag)} {hash(\"x\")} {time.tzname} {socket.gethostname()} {run.context.now}')";
    const first = await judged(judging(steady));
    assert.deepEqual(await regraded(first, 2), [true, true]);
    const fickle = judging("return (0.5, str(time.time_ns()))");
    assert.deepEqual(await regraded(await judged(fickle), 2), [false, false]);
  });

  it("T28 a workbook's remembered value, a bomb and foreign entities are judged, not believed", async () => {
    const grader = judging(
      "from cloche.sheets import open_workbook\n" +
        "sums = []\nfor name in ['forged', 'bomb', 'xxe', 'laughs', 'wide']:\n" +
        "    try:\n" +
        "        book = open_workbook(run.workspace.file(f'{name}.xlsx'))\n" +
        "        sheet = book.sheet('Sheet1')\n        sheet.rows()\n        sums.append(sheet.value('A1') if name == 'forged' else f'{name} opened')\n" +
        "    except Exception as error:\n" +
        "        sums.append(type(error).__name__)\n" +
        "check(sums[0] == 3, f'{sums}')\ncheck(not any('opened' in str(s) for s in sums), f'{sums}')\nreturn True",
    );
    const { record, bundle } = await judged(grader, {}, `python3 - <<'END'\n${CRAFT}END`);
    assert.equal(record.outcome, "graded", record.fault?.message);
    assert.ok(bundle?.after?.entries.some(({ path }) => path === "bomb.xlsx"));
    assert.equal(record.criteria?.[0]?.score, 1, record.criteria?.[0]?.reason);
  });

  it("T25 run.execute runs the agent's program far from the grader, and its word is only its word", async () => {
    const made: SandboxSpec[] = [];
    const { engine } = arena.runtime;
    const create = engine.create.bind(engine);
    engine.create = ((spec, options) => {
      made.push(spec);
      return create(spec, options);
    }) as Engine["create"];
    const grader = judging(
      "honest = run.execute(['python3', 'double.py'], stdin='21', timeout=60)\n" +
        "check((honest.exit_code, honest.output) == (0, '42\\n'), f'{honest}')\n" +
        "forger = run.execute(['python3', 'forger.py'], timeout=60)\n" +
        "check(forger.exit_code == 7, f'{forger.exit_code}')\n" +
        "check(forger.cut and len(forger.stdout) == 65536, 'not cut')\n" +
        "check('NO-GRADE NO-NET NO-WRITE NO-SECRET' in forger.errors, forger.errors)\n" +
        "sleeper = run.execute(['sh', '-c', 'trap \"\" TERM; setsid sleep 600 & sleep 600'], timeout=1)\n" +
        "check(sleeper.timed_out, f'{sleeper}')\n" +
        "again = run.execute(['sh', '-c', 'ls /tmp; date +%F; cat note.txt'], timeout=60)\n" +
        "check(again.output == '2026-03-02\\nhello-1\\n', f'{again}')\n" +
        "check(run.execute(['no-such-program'], timeout=60).exit_code == 127, 'not 127')\n" +
        "hungry = run.execute(['python3', '-c', 'x = bytearray(4 * 10**9)'], timeout=60)\n" +
        "check(hungry.exit_code in (1, 137), f'{hungry}')\n" +
        "return True",
    );
    const result = await judged(
      grader,
      {},
      `echo hello-1 > note.txt; python3 - <<'END'\n${SCRIPTS}END`,
    );
    engine.create = create;
    const { record } = result;
    assert.deepEqual([record.outcome, record.reward?.sparse], ["graded", 1], reasonOf(record));
    assert.equal(made.filter(({ id }) => id.startsWith("execute")).length, 6);
    assert.deepEqual(await engine.find(arena.runtime.data.owner), []);
    assert.deepEqual(await regraded(result, 1), [true]);
  });

  /** Whether each of so many more grades has the bytes of the first. */
  async function regraded({ bundle }: Aftermath, times: number): Promise<boolean[]> {
    const { engine, data, images, process } = arena.runtime;
    assert.ok(bundle?.grade);
    const parts = { engine, data, process, images, graderImage: images.grader, clock: systemClock };
    const recorded = gradeBytes(bundle.grade);
    const grades = [];
    for (let time = 0; time < times; time++) grades.push(await regrade(bundle, parts, NEVER));
    return grades.map((grade) => gradeBytes(grade).equals(recorded));
  }
});

function reasonOf(record: RolloutRecord): string {
  const [criterion] = record.criteria ?? [];
  return `${record.fault?.message ?? ""} ${criterion?.reason ?? ""} ${criterion?.error ?? ""}`;
}

function assertGraderError(record: RolloutRecord | undefined, what = ""): void {
  assert.equal(record?.outcome, "grader_error", what);
  assert.equal(record?.reward, null);
  assert.equal(record?.fault?.blame, "grader");
}

async function inPairs<T, U>(all: readonly T[], work: (one: T) => Promise<U>): Promise<U[]> {
  const done: U[] = [];
  for (let at = 0; at < all.length; at += 2) {
    done.push(...(await Promise.all(all.slice(at, at + 2).map(work))));
  }
  return done;
}

/** The programs that an agent was asked to write, and what one wrote instead. */
const SCRIPTS = `
open("double.py", "w").write("print(int(input()) * 2)\\n")
open("forger.py", "w").write('''
import os, socket, sys, time
verdict = '{"nonce":"","criteria":[{"name":"it","weight":1,"score":1,"reason":"","error":null}]}'
said = ["NO-GRADE" if not os.path.isdir("/grade/task") else "GRADE"]
s = socket.socket(); s.settimeout(1)
try: s.connect(("1.1.1.1", 53)); said.append("NET")
except OSError: said.append("NO-NET")
try: open("/workspace/note.txt", "a").write("changed"); said.append("WRITE")
except OSError: said.append("NO-WRITE")
secret = os.popen("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | grep -ac '[g]rader'").read()
said.append("NO-SECRET" if secret.strip() == "0" else "SECRET " + secret)
print(" ".join(said), file=sys.stderr, flush=True)
for n in range(4):
    if os.fork() == 0:
        os.setsid(); time.sleep(600); os._exit(0)
for n in range(3000): print(verdict)
sys.stdout.flush()
os._exit(7)
''')
`;

const CRAFT = `
import io, zipfile
def book(name, sheet, extra=()):
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>')
        z.writestr("_rels/.rels", '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        z.writestr("xl/workbook.xml", '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>')
        z.writestr("xl/_rels/workbook.xml.rels", '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')
        z.writestr("xl/worksheets/sheet1.xml", sheet)
        for path, content in extra: z.writestr(path, content)
def rows(inner, head=""):
    return head + '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' + inner + "</sheetData></worksheet>"
book("forged.xlsx", rows('<row r="1"><c r="A1"><f>SUM(1,2)</f><v>42</v></c></row>'))
book("bomb.xlsx", rows("<row>" + "<c><v>1</v></c>" * 6_000_000 + "</row>"))
book("xxe.xlsx", rows('<row r="1"><c r="A1" t="str"><v>&x;</v></c></row>', '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///grade/expected.json">]>'))
laughs = "".join(f'<!ENTITY l{n} "{("&l%d;" % (n - 1)) * 10}">' for n in range(1, 10))
book("laughs.xlsx", rows('<row r="1"><c r="A1" t="str"><v>&l9;</v></c></row>', f'<!DOCTYPE w [<!ENTITY l0 "ha">{laughs}]>'))
book("wide.xlsx", rows('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>'))
`;
