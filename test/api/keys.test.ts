import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Keys, newKey, parseKeys } from "../../runtime/api/keys.ts";
import { systemClock } from "../../runtime/base/clock.ts";
import { Fault } from "../../runtime/base/fault.ts";
import { sha256 } from "../../runtime/base/hash.ts";

const HASH = sha256("k");

function refused(work: () => unknown, code: string): Fault {
  try {
    work();
  } catch (error) {
    assert(error instanceof Fault, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  return assert.fail(`was not refused with ${code}`);
}

describe("a key file", () => {
  it("is refused with the line that is wrong, and never shows a hash", () => {
    const wrong = [
      ["one", "line 1"],
      [`one ${HASH}\n\n# fine\ntwo ${HASH.slice(1)}`, "line 4"],
      [`one ${HASH} rate=fast`, "line 1"],
      [`one ${HASH} rat=1`, "line 1"],
      [`one ${HASH} open=0`, "line 1"],
      [`one ${HASH} open=`, "line 1"],
      [`one ${HASH} may=grade`, "line 1"],
      [`one ${HASH} may=`, "line 1"],
      [`-one ${HASH}`, "line 1"],
      [`one ${HASH}\none ${sha256("other")}`, "twice"],
      [`one ${HASH}\ntwo ${HASH}`, "twice"],
      ['[{"id": "one"}]', "key 1"],
      ["[", "JSON"],
      ["[1, 2]", "key 1"],
    ] as const;
    for (const [text, where] of wrong) {
      const { message } = refused(() => parseKeys(text, "keys"), "api/keys-unreadable");
      assert(message.includes(where), `${message} does not name ${where}`);
      assert(!message.includes(HASH.slice(0, 16)), message);
    }
  });

  it("holds keys by line or as JSON, with their bounds", () => {
    const one = { id: "one", sha256: HASH, rate: 10, burst: 20, open: 50 };
    assert.deepEqual(parseKeys(`# ours\none ${HASH} rate=10 burst=20 open=50 # x\n`, "k"), [one]);
    assert.deepEqual(parseKeys(JSON.stringify([one]), "k"), [one]);
    const may = { id: "one", sha256: HASH, may: ["grade:foreign"] };
    assert.deepEqual(parseKeys(`one ${HASH} may=grade:foreign`, "k"), [may]);
    assert.deepEqual(parseKeys(JSON.stringify([may]), "k"), [may]);
    assert.deepEqual(parseKeys(`a ${HASH}; b ${sha256("b")}`, "CLOCHE_KEYS").length, 2);
    assert.deepEqual(parseKeys("\n# none\n", "k"), []);
  });

  it("never makes anything but a fault of other text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          parseKeys(text, "keys");
        } catch (error) {
          assert(error instanceof Fault, String(error));
        }
      }),
    );
  });

  it("knows a new key by its line alone", () => {
    const { key, line } = newKey("trainer-1");
    assert(!line.includes(key));
    const keys = new Keys(parseKeys(line, "k"), systemClock);
    assert.deepEqual(keys.admit(`Bearer ${key}`), { key: "trainer-1" });
  });
});

describe("who may call", () => {
  it("is nobody without a key or with an unknown one, where there are keys", () => {
    const keys = new Keys([{ id: "one", sha256: HASH }], systemClock);
    for (const header of [undefined, "", "Bearer", "Basic a", "Bearer x", `Bearer ${HASH}`]) {
      refused(() => keys.admit(header), "api/no-key");
    }
    assert.deepEqual(keys.admit("bearer k"), { key: "one" });
  });

  it("is everybody, as one caller, where there are none", () => {
    assert.deepEqual(new Keys([], systemClock).admit("Bearer x"), { key: "local" });
  });

  it("is a caller with a bound on open rollouts, if the key has one", () => {
    const keys = new Keys([{ id: "one", sha256: HASH, open: 3 }], systemClock);
    assert.deepEqual(keys.admit("Bearer k"), { key: "one", maxOpen: 3 });
  });

  it("has to wait when the bucket is empty, no longer than it says", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 1000, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 50 }),
        (rate, burst, pauses) => {
          let nowMs = 0;
          const clock = { now: () => new Date(0), monotonicMs: () => nowMs };
          const keys = new Keys([{ id: "one", sha256: HASH, rate, burst }], clock);
          const ask = () => {
            try {
              keys.admit("Bearer k");
              return 0;
            } catch (error) {
              assert(error instanceof Fault);
              assert.equal(error.code, "api/rate-limited");
              return error.detail["retryAfterMs"] as number;
            }
          };
          let admitted = 0;
          for (const ms of [0, ...pauses]) {
            nowMs += ms;
            if (ask() === 0) admitted++;
          }
          assert(admitted <= burst + (nowMs / 1000) * rate + 1);
          for (let n = 0; n < burst + 1; n++) ask();
          const waitMs = ask();
          assert(waitMs >= 1);
          nowMs += waitMs;
          assert.equal(ask(), 0);
        },
      ),
      { examples: [[0.10000000000000016, 17, [99, 13, 47, 22, 48, 16, 1, 96]]] },
    );
  });
});
