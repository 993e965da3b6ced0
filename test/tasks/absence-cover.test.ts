import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { strFromU8, strToU8 } from "fflate";
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
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";
import { PROVEN } from "../support/slow.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TASK = "office/absence-cover";
const CRITERIA = {
  covered: "visits that can be covered have the right technician",
  moved: "visits that nobody can cover are at the right time",
  known: "visits stand in the calendars of those who do them now, and of no other",
  series: "of the visit that repeats only the occurrence of the absence has changed",
  absence: "the absence stands in the own calendar",
  answered: "the newest mail was answered once, with a copy to the lead",
  answerLines: "the answer has the right lines",
  told: "each technician who takes over was written to once, with the right lines",
  noOtherMail: "nobody else was written to",
  untouched: "all else is as it was: visits, other events, files, mails",
  looked: "others were asked when they are free before the first change",
} as const;
type Key = keyof typeof CRITERIA;
const KEYS = Object.keys(CRITERIA) as readonly Key[];
const DENSE_AT_MOST: Readonly<Record<string, number>> = {
  cancel_all: 0.3,
  first_in_the_list: 0.4,
  forged_verdict: 0,
  invite_everybody: 0.4,
  only_say_so: 0.4,
  whole_series: 0.4,
};
const NEVER = new AbortController().signal;
const VARIANT = 2;

const OWN = /^calendar\/ines\.duarte@[^/]+\/main\.ics$/;
const SENT = /^mail\/ines\.duarte@[^/]+\/\.Sent\//;

type Bare = Omit<RolloutSpec, "policy">;
interface Forgery {
  readonly title: string;
  readonly file: RegExp;
  readonly change: (text: string) => string;
  /** The criteria that no longer score 1, others not. */
  readonly loses: readonly Key[];
}

const FORGERIES: readonly Forgery[] = [
  { title: "nothing at all", file: /^none$/, change: (text) => text, loses: [] },
  {
    title: "a visit that was moved begins later",
    file: OWN,
    change: (ics) =>
      events(ics, (one) =>
        /PARTSTAT=NEE/.test(one) && /SEQUENCE:1/.test(one) && !isCovered(one)
          ? one.replace(/(DTSTART[^:]*:\d{8}T)(\d\d)00/, "$1$230")
          : one,
      ),
    loses: ["moved", "known"],
  },
  {
    title: "the takers have never heard of it",
    file: /^calendar\/(?!ines)/,
    change: (ics) =>
      events(ics, (one) =>
        /SUMMARY:Visit/.test(one) && /NEEDS-ACTION/.test(flat(one)) ? "" : one,
      ),
    loses: ["known"],
  },
  {
    title: "who is absent still holds the occurrence that they were taken off",
    file: /^calendar\/(?!ines)/,
    change: (ics) =>
      events(ics, (one) => (/RRULE/.test(one) ? one.replace(/^EXDATE.*\r?\n/gm, "") : one)),
    loses: ["known"],
  },
  {
    title: "the whole series has another title",
    file: OWN,
    change: (ics) =>
      events(ics, (one) => (/RRULE/.test(one) ? one.replace("SUMMARY:Visit: ", "$&Old ") : one)),
    loses: ["series"],
  },
  {
    title: "the absence is a day shorter",
    file: OWN,
    change: (ics) =>
      events(ics, (one) =>
        /SUMMARY:Absent/.test(one)
          ? one.replace(/(DTSTART[^:]*:\d{6})(\d\d)/, (_, head, day) => head + dayAfter(day))
          : one,
      ),
    loses: ["absence"],
  },
  {
    title: "the answer had no copy",
    file: SENT,
    change: (mail) => mail.replace(/^Cc: .*marta.*\r?\n/m, ""),
    loses: ["answered"],
  },
  {
    title: "the answer names somebody else",
    file: SENT,
    change: (mail) => mail.replace(/^(\d{4}-.*: )\w+ \w+/m, "$1Petra Vance"),
    loses: ["answerLines"],
  },
  {
    title: "a line of the answer stands twice",
    file: SENT,
    change: (mail) => mail.replace(/^\d{4}-.*: \w+ \w+\r?\n/m, "$&$&"),
    loses: ["answerLines"],
  },
  {
    title: "the mails to technicians went to the bookkeeper as well",
    file: SENT,
    change: (mail) =>
      /^Subject: Cover/m.test(mail)
        ? mail.replace(/^To: .*$/m, "$&, petra.vance@alder.test")
        : mail,
    loses: ["told", "noOtherMail"],
  },
  {
    title: "another meeting has another title",
    file: OWN,
    change: (ics) => ics.replaceAll("SUMMARY:Planning of the week", "SUMMARY:Lunch"),
    loses: ["untouched"],
  },
];

describe("the task office/absence-cover", { concurrency: false }, () => {
  let runtime: TestRuntime;
  let bundle: Bundle;

  before(async () => {
    runtime = await openTestRuntime();
  });

  after(async () => {
    await runtime?.assertNothingLeft();
    await runtime?.[Symbol.asyncDispose]();
  });

  it("is solved by its solution in 25 or more calls, paid by dense as it says", async () => {
    const record = await play(runtime, ROOT, TASK, named("oracle"), { variant: VARIANT });
    assert.deepEqual(record.reward, { sparse: 1, dense: 1, gain: 1 }, reasons(record));
    assert.equal(record.rewardKind, "dense");
    assert.ok(record.steps >= 25, `${record.steps} calls`);
    assert.ok(record.criteria?.every(({ asks }) => (asks ?? "") !== ""));
    bundle = await openBundle(await resolveBundle(runtime.data, record.bundle ?? ""));
  });

  it("takes from what was left exactly what is wrong with it", async () => {
    const parts = { ...runtime, graderImage: runtime.images.grader };
    for (const forgery of FORGERIES) {
      const grade = await regrade(await withForgery(bundle, forgery), parts, NEVER);
      const lost = grade.criteria.filter(({ score }) => score !== 1);
      const names = new Set(lost.map(({ name }) => name));
      const said = lost.map(({ name, reason }) => `${name}: ${reason}`).join("\n");
      const keys = KEYS.filter((key) => names.has(CRITERIA[key]));
      assert.deepEqual(keys, forgery.loses, `${forgery.title}\n${said}`);
    }
  });

  it("pays nothing to a policy that does nothing, although it breaks no rule", async () => {
    const record = await play(runtime, ROOT, TASK, nullPolicy);
    assert.deepEqual(record.reward, { sparse: 0, dense: 0, gain: 0 }, reasons(record));
    assert.deepEqual(
      record.criteria?.filter(({ score }) => score === 1).map(({ polarity }) => polarity),
      ["must_not", "must_not", "must_not"],
    );
    assert.ok(record.criteria?.every(({ score, baseline }) => score === baseline));
  });

  it("sees through its cheats", { skip: PROVEN }, async () => {
    for (const [cheat, most] of Object.entries(DENSE_AT_MOST)) {
      const record = await play(runtime, ROOT, TASK, named(`cheat:${cheat}`));
      assert.equal(record.outcome, "graded", `${cheat}: ${record.fault?.message}`);
      assert.equal(record.reward?.sparse, 0, cheat);
      const { dense = 1 } = record.reward ?? {};
      assert.ok(dense <= most, `${cheat}: dense ${dense}\n${reasons(record)}`);
    }
  });

  it("is made of the same bytes each time, and of others for each seed", async () => {
    const task = await findTask(ROOT, TASK);
    const { engine, images, data, log, process } = runtime;
    const parts = {
      ...{ engine, graderImage: images.grader, blobs: new BlobFolder(data.blobs) },
      ...{ cacheFolder: data.cache, labels: { owner: data.owner, process } },
      ...{ signal: NEVER, log },
    };
    const made = (seed: number) => makeVariant(task, 3, seed, parts);
    const [first, second, other] = [await made(5), await made(5), await made(6)];
    assert.deepEqual(second, first);
    assert.notDeepEqual(other.state, first.state);
    assert.notDeepEqual(other.expected, first.expected);
  });
});

function named(policy: string) {
  return (runtime: TestRuntime, { task }: Bare): Promise<Policy> => {
    const { engine, images, data, clock, process } = runtime;
    const labels = { owner: data.owner, process };
    return policyFor(policy, task, { engine, image: images.grader, labels, clock });
  };
}

/** The same evidence, but for some files of the services' state in the end. */
async function withForgery(bundle: Bundle, { file, change }: Forgery): Promise<Bundle> {
  const { state, blobs } = bundle;
  if (state === undefined) throw new Error("the bundle has no state");
  const entries = await Promise.all(
    state.after.entries.map(async (entry) => {
      if (entry.type !== "file" || !file.test(entry.path)) return entry;
      const text = strFromU8(await blobs.bytes(entry.sha256, 2 ** 24));
      return { ...entry, ...(await blobs.put(Buffer.from(strToU8(change(text))))) };
    }),
  );
  return { ...bundle, state: { ...state, after: { ...state.after, entries } } };
}

/** Each event of a calendar by itself. */
function events(ics: string, change: (event: string) => string): string {
  return ics.replace(/BEGIN:VEVENT[\s\S]*?END:VEVENT\r?\n/g, change);
}

function flat(event: string): string {
  return event.replace(/\r?\n /g, "");
}

/** Whom update_event invited has no kind: it takes a visit over. */
function isCovered(event: string): boolean {
  return /ATTENDEE;CN=[^;]+;ROLE=/.test(flat(event));
}

function dayAfter(day: string): string {
  return String(Number(day) + 1).padStart(2, "0");
}

function reasons({ criteria, fault }: RolloutRecord): string {
  const lines = criteria?.map(({ name, score, reason }) => `${score} ${name}: ${reason}`);
  return [fault?.message ?? "", ...(lines ?? [])].join("\n");
}
