import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutResult } from "../../runtime/mcp/proxy/result-cut.ts";

const text = (content: string) => ({ content: [{ type: "text", text: content }] });

test("a result that is large without a text to cut becomes a tool error that says so", () => {
  const image = { content: [{ type: "image", data: "A".repeat(10_000), mimeType: "image/png" }] };
  const { result, truncated } = cutResult({ ...image, _meta: { kept: 1 } }, 5_000);
  assert.equal(result["isError"], true);
  assert.deepEqual(result["_meta"], { kept: 1 });
  assert.match(JSON.stringify(result), /the budget allows 5000 bytes a result/);
  assert.equal(
    truncated?.from,
    Buffer.byteLength(JSON.stringify({ ...image, _meta: { kept: 1 } })),
  );
});

test("a result within the budget is left as it is", () => {
  const result = text("short");
  assert.deepEqual(cutResult(result, 1_000), {
    result,
    json: JSON.stringify(result),
    truncated: null,
  });
});

test("short texts stay whole and long ones share what is left", () => {
  const blocks = ["short", "a".repeat(5_000), "b".repeat(50_000)];
  const { json, result } = cutResult(
    { content: blocks.map((block) => ({ type: "text", text: block })) },
    12_000,
  );
  const cut = (result["content"] as { text: string }[]).map((block) => block.text);
  assert.deepEqual(cut.slice(0, 2), blocks.slice(0, 2));
  assert.match(cut[2] ?? "", /^b+\n\[… \d+ bytes left out here.*…\]\nb+$/);
  assert.ok(Buffer.byteLength(json) > 11_000);
});

test("texts in structured content are cut too and its shape stays", () => {
  const long = "é\n".repeat(10_000);
  const { result } = cutResult(
    { ...text(long), structuredContent: { long, n: 1, l: [true] } },
    9_000,
  );
  const structured = result["structuredContent"] as Record<string, unknown>;
  assert.deepEqual([structured["n"], structured["l"]], [1, [true]]);
  assert.match(String(structured["long"]), /bytes left out here/);
});

test("what is left out is counted in bytes of the text", () => {
  const { result } = cutResult(text("ü".repeat(10_000)), 3_000);
  const [{ text: cut }] = result["content"] as [{ text: string }];
  const [head = "", tail = ""] = cut.split(/\n\[….*…\]\n/);
  const missing = Number(/(\d+) bytes left out/.exec(cut)?.[1]);
  assert.equal(Buffer.byteLength(head) + Buffer.byteLength(tail) + missing, 20_000);
});

test("a cut result fits into its budget, whatever its texts hold", () => {
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 2_000, size: "max" }));
  fc.assert(
    fc.property(texts, fc.integer({ min: 1_000, max: 10_000 }), (all, budget) => {
      const blocks = all.map((block) => ({ type: "text", text: block }));
      const { json, truncated } = cutResult({ content: blocks }, budget);
      assert.ok(Buffer.byteLength(json) <= budget);
      assert.equal(truncated?.to ?? Buffer.byteLength(json), Buffer.byteLength(json));
    }),
  );
});
