import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { pauseMs, retryAfterOf, retryRules } from "../../runtime/api/client/retry.ts";

const attempt = fc.integer({ min: 1, max: 50 });
const retryAfter = fc.option(fc.integer({ min: 0, max: 300_000 }), { nil: undefined });

describe("the pause before another attempt", () => {
  it("is never shorter than Retry-After, nor longer than that and the longest of our own", () => {
    fc.assert(
      fc.property(attempt, retryAfter, (number, afterMs) => {
        const rules = retryRules({ attempts: 20 });
        const ms = pauseMs(rules, number, afterMs);
        if (number >= 20 || (afterMs ?? 0) > rules.longestRetryAfterMs) {
          return assert.equal(ms, undefined);
        }
        assert.ok(ms !== undefined && ms >= (afterMs ?? 0));
        assert.ok(ms <= (afterMs ?? 0) + rules.longestPauseMs);
      }),
    );
  });

  it("reads Retry-After as seconds or as a date, and ignores what is neither", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    const read = (value: string) => retryAfterOf(new Headers({ "retry-after": value }), now);
    assert.equal(read("3"), 3_000);
    assert.equal(read("0.5"), 500);
    assert.equal(read("Thu, 01 Jan 2026 00:00:07 GMT"), 7_000);
    assert.equal(read("Wed, 31 Dec 2025 00:00:00 GMT"), 0);
    assert.equal(read("soon"), undefined);
    assert.equal(retryAfterOf(new Headers()), undefined);
  });
});
