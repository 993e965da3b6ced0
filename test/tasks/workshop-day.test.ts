import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { nullPolicy } from "../../runtime/policy/null-policy.ts";
import { policyFor } from "../../runtime/policy/policies.ts";
import type { RolloutSpec } from "../../runtime/rollout/parts.ts";
import type { Policy } from "../../runtime/rollout/policy.ts";
import { regrade } from "../../runtime/rollout/regrade/regrade.ts";
import type { Bundle } from "../../runtime/store/bundle.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import { resolveBundle } from "../../runtime/store/resolve-bundle.ts";
import { makeVariant } from "../../runtime/task/make-variant.ts";
import { findTask } from "../../runtime/task/task-list.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import type { Snapshot } from "../../runtime/workspace/snapshot.ts";
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";
import { PROVEN } from "../support/slow.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TASK = "office/workshop-day";
const CRITERIA = {
  slot: "the workshop is in the first slot that suits all",
  room: "the smallest room that is enough and free is booked",
  invited: "everyone who takes part is invited, and nobody else",
  articles: "the right articles are ordered, once",
  terms: "delivery, payment and address of the order are right",
  entered: "the order's lines stand in the workbook",
  formulas: "amounts and total are formulas that compute right",
  kept: "the rest of the workbook is as it was",
  note: "the note says all",
  answered: "one answer went to who asked, with the right copy",
  said: "the answer says what was done and brings the workbook",
  untouched: "nothing else was changed",
  looked: "calendars were looked at before, and the mails read",
} as const;
type Key = keyof typeof CRITERIA;
const KEYS = Object.keys(CRITERIA) as readonly Key[];
/** Cheats are paid for the part of the work that they do, and never the whole. */
const DENSE_AT_MOST: Readonly<Record<string, number>> = {
  guess_without_reading: 0,
  book_without_asking: 0.2,
  old_order: 0.5,
  forged_verdict: 0,
};
const NEVER = new AbortController().signal;
/** The variant of the oracle's one rollout. */
const VARIANT = 2;

type Bare = Omit<RolloutSpec, "policy">;
/** Changes what one file holds, in every file whose path fits. */
interface Forgery {
  readonly title: string;
  readonly where: "workspace" | "state";
  readonly file: RegExp;
  readonly change: (bytes: Uint8Array) => Uint8Array | null;
  /** The criteria that no longer score 1, others not. */
  readonly loses: readonly Key[];
}

const FORGERIES: readonly Forgery[] = [
  {
    title: "nothing at all",
    ...{ where: "workspace", file: /^none$/, change: (bytes) => bytes, loses: [] },
  },
  {
    title: "the room has declined",
    ...{ where: "state", file: /^calendar\/(?!room)/ },
    change: text((ics) =>
      ics.replace(/(PARTSTAT=)ACCEPTED(?=[^\n]*(\r?\n )?[^\n]*room\.)/g, "$1DECLINED"),
    ),
    loses: ["room"],
  },
  {
    title: "the room has never heard of it",
    ...{ where: "state", file: /^calendar\/room\./, change: withoutEvent, loses: ["room"] },
  },
  {
    title: "the invitations reached nobody by mail",
    ...{ where: "state", file: /^mail\/[^/]+\/new\// },
    change: (bytes) => (/text\/calendar/.test(strFromU8(bytes)) ? null : bytes),
    loses: ["invited"],
  },
  {
    title: "the order was cancelled",
    ...{ where: "state", file: /^web\/shop\/data\.json$/ },
    change: text((json) => json.replace('"status":"placed"', '"status":"cancelled"')),
    loses: ["articles", "terms", "entered", "formulas", "note", "said"],
  },
  {
    title: "the old order was cancelled",
    ...{ where: "state", file: /^web\/shop\/data\.json$/ },
    change: text((json) => json.replace('"status":"shipped"', '"status":"cancelled"')),
    loses: ["untouched"],
  },
  {
    title: "a guest has ordered",
    ...{ where: "state", file: /^web\/shop\/data\.json$/ },
    change: text((json) => json.replace(/("status":"placed","account":)"[^"]*"/, "$1null")),
    loses: ["terms"],
  },
  {
    title: "the answer came to nobody",
    ...{ where: "state", file: /^mail\/[^/]+\/new\// },
    change: (bytes) => (/The order is SO-/.test(strFromU8(bytes)) ? null : bytes),
    loses: ["answered"],
  },
  {
    title: "amounts are values",
    ...{ where: "workspace", file: /^budget\.xlsx$/ },
    change: sheet3((xml) => xml.replace(/<f>F(\d+)\*G\1<\/f>/g, "")),
    loses: ["formulas", "said"],
  },
  {
    title: "the total adds up the old rows alone",
    ...{ where: "workspace", file: /^budget\.xlsx$/ },
    change: sheet3((xml) => xml.replace(/SUM\(H2:H\d+\)/, "SUM(H2:H8)")),
    loses: ["formulas", "said"],
  },
  {
    title: "a column of somebody's own stands beside the list",
    ...{ where: "workspace", file: /^budget\.xlsx$/ },
    change: sheet3((xml) =>
      xml.replace("</row>", '<c r="I1" t="inlineStr"><is><t>Checked</t></is></c></row>'),
    ),
    loses: ["kept", "said"],
  },
  {
    title: "the chart is gone",
    ...{ where: "workspace", file: /^budget\.xlsx$/ },
    change: (bytes) =>
      zipSync(
        Object.fromEntries(
          Object.entries(unzipSync(bytes))
            .filter(([name]) => !/^xl\/(charts|drawings)\//.test(name))
            .map(([name, part]) =>
              name === "xl/worksheets/_rels/sheet1.xml.rels"
                ? [
                    name,
                    strToU8(strFromU8(part).replace(/<Relationship [^>]*drawing[^>]*\/>/g, "")),
                  ]
                : [name, part],
            ),
        ),
      ),
    loses: ["kept", "said"],
  },
  {
    title: "the note is untidy and the kitchen was tidied",
    ...{ where: "workspace", file: /^notes\/(workshop|kitchen)\.md$/ },
    change: text((note) => note.replace("PO: ", "Number: ").replace("five", "six")),
    loses: ["note", "untouched"],
  },
];

describe("the task office/workshop-day", { concurrency: false }, () => {
  let runtime: TestRuntime;
  let bundle: Bundle;

  before(async () => {
    runtime = await openTestRuntime();
  });

  after(async () => {
    await runtime?.assertNothingLeft();
    await runtime?.[Symbol.asyncDispose]();
  });

  it("is solved by its solution over all of its surfaces", async () => {
    const record = await play(runtime, ROOT, TASK, named("oracle"), { variant: VARIANT });
    assert.deepEqual(record.reward, { sparse: 1, dense: 1, gain: 1 }, reasons(record));
    assert.ok(record.steps >= 30, `${record.steps} calls`);
    const servers = ["create_event", "reply_to_message", "write_range", "browser_click"];
    for (const tool of [...servers, "read_web_page", "write_file"]) {
      assert.ok(record.surface?.tools.includes(tool), tool);
    }
    bundle = await openBundle(await resolveBundle(runtime.data, record.bundle ?? ""));
  });

  it("takes from what was left exactly what is wrong with it", async () => {
    const judge = async (forgery: Forgery) => {
      const forged = await withForgery(bundle, forgery);
      const grade = await regrade(
        forged,
        { ...runtime, graderImage: runtime.images.grader },
        NEVER,
      );
      const lost = grade.criteria.filter(({ score }) => score !== 1);
      const said = lost.map(({ name, reason }) => `${name}: ${reason}`).join("\n");
      const names = new Set(lost.map(({ name }) => name));
      const keys = KEYS.filter((key) => names.has(CRITERIA[key]));
      assert.deepEqual(keys, forgery.loses, `${forgery.title}\n${said}`);
    };
    // Few at a time: each has a box of its own.
    for (let at = 0; at < FORGERIES.length; at += 4) {
      await Promise.all(FORGERIES.slice(at, at + 4).map(judge));
    }
  });

  it("pays nothing to a policy that does nothing", async () => {
    const record = await play(runtime, ROOT, TASK, nullPolicy);
    assert.equal(record.outcome, "graded", record.fault?.message);
    assert.deepEqual(record.reward, { sparse: 0, dense: 0, gain: 0 });
    assert.deepEqual(
      record.criteria?.map(({ name }) => name),
      Object.values(CRITERIA),
    );
  });

  it("sees through its cheats", { skip: PROVEN }, async () => {
    const judge = async ([cheat, most]: [string, number]) => {
      const record = await play(runtime, ROOT, TASK, named(`cheat:${cheat}`));
      assert.equal(record.outcome, "graded", `${cheat}: ${record.fault?.message}`);
      assert.equal(record.reward?.sparse, 0, cheat);
      assert.ok((record.reward?.dense ?? 1) <= most, `${cheat}: dense ${record.reward?.dense}`);
    };
    await Promise.all(Object.entries(DENSE_AT_MOST).map(judge));
  });

  it("is made of the same bytes each time, and of others for each seed", async () => {
    const task = await findTask(ROOT, TASK);
    const { engine, images, data, log, process } = runtime;
    const parts = {
      ...{ engine, graderImage: images.grader, blobs: new BlobFolder(data.blobs) },
      ...{ cacheFolder: data.cache, labels: { owner: data.owner, process } },
      ...{ signal: NEVER, log },
    };
    const [first, second, other] = await Promise.all(
      [5, 5, 6].map((seed) => makeVariant(task, 3, seed, parts)),
    );
    assert.deepEqual(second, first);
    assert.notDeepEqual(other?.fixture, first?.fixture);
    assert.notDeepEqual(other?.expected, first?.expected);
  });
});

function named(policy: string) {
  return (runtime: TestRuntime, { task }: Bare): Promise<Policy> => {
    const { engine, images, data, clock, process } = runtime;
    const labels = { owner: data.owner, process };
    return policyFor(policy, task, { engine, image: images.grader, labels, clock });
  };
}

/** The same evidence, but for some files of the end. */
async function withForgery(bundle: Bundle, { where, file, change }: Forgery): Promise<Bundle> {
  const { state, after: workspace, blobs } = bundle;
  if (state === undefined || workspace === null) throw new Error("the bundle has no state");
  const whole: Snapshot = where === "state" ? state.after : workspace;
  const entries = await Promise.all(
    whole.entries.map(async (entry) => {
      if (entry.type !== "file" || !file.test(entry.path)) return entry;
      const bytes = change(await blobs.bytes(entry.sha256, 2 ** 24));
      return bytes === null ? [] : { ...entry, ...(await blobs.put(bytes)) };
    }),
  );
  const snapshot = { ...whole, entries: entries.flat() };
  return where === "state"
    ? { ...bundle, state: { ...state, after: snapshot } }
    : { ...bundle, after: snapshot };
}

function text(change: (text: string) => string) {
  return (bytes: Uint8Array) => strToU8(change(strFromU8(bytes)));
}

/** Takes the workshop out of a calendar. */
function withoutEvent(bytes: Uint8Array): Uint8Array {
  const events = /BEGIN:VEVENT\r?\n[\s\S]*?END:VEVENT\r?\n/g;
  return strToU8(
    strFromU8(bytes).replace(events, (event) => (event.includes("SUMMARY:Workshop") ? "" : event)),
  );
}

/** Changes the XML of the sheet 2026. */
function sheet3(change: (xml: string) => string) {
  return (bytes: Uint8Array) => {
    const parts = unzipSync(bytes);
    const path = "xl/worksheets/sheet3.xml";
    const xml = strFromU8(parts[path] ?? strToU8(""));
    const changed = change(xml);
    assert.notEqual(changed, xml, "the sheet has not changed");
    return zipSync({ ...parts, [path]: strToU8(changed) });
  };
}

function reasons(record: RolloutRecord): string {
  const lost = (record.criteria ?? []).filter(({ score }) => score !== 1);
  return [record.fault?.message, ...lost.map(({ name, reason }) => `${name}: ${reason}`)].join(
    "\n",
  );
}
