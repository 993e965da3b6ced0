import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_JSON_DEPTH } from "../../runtime/base/json-text.ts";
import { readMessage } from "../../runtime/mcp/json-rpc.ts";
import { LineSplitter, LineTooLong, type LongLine } from "../../runtime/mcp/link/json-lines.ts";

/** The lines of these chunks. */
function linesOf(chunks: readonly Buffer[], lineBytes = 1_000): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter({ lineBytes }, (line) => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

test("a line over the limit throws, however its chunks are cut", () => {
  const long = Buffer.alloc(1_001, "x");
  assert.throws(() => linesOf([long]), LineTooLong);
  assert.throws(() => linesOf([...long].map((byte) => Buffer.from([byte]))), LineTooLong);
  assert.deepEqual(
    linesOf([Buffer.alloc(1_000, "x")]).map(({ length }) => length),
    [1_000],
  );
});

test("a line too long to be kept is told of by its size, hash, beginning and end", () => {
  const long = Buffer.from(`{"head":1,${"x".repeat(9_000)},"tail":2}`);
  for (const size of [1, 7, 999, 10_000]) {
    const [lines, told]: [string[], LongLine[]] = [[], []];
    const limits = { lineBytes: 5_000, longLineBytes: 10_000 };
    const splitter = new LineSplitter(
      limits,
      (line) => lines.push(line),
      (line) => told.push(line),
    );
    const all = Buffer.concat([Buffer.from("before\n"), long, Buffer.from("\nafter\n")]);
    for (let at = 0; at < all.length; at += size) splitter.push(all.subarray(at, at + size));
    splitter.end();
    assert.deepEqual(lines, ["before", "after"]);
    assert.equal(told.length, 1);
    const [{ bytes, sha256, head, tail }] = told as [LongLine];
    assert.deepEqual(
      [bytes, sha256],
      [long.length, createHash("sha256").update(long).digest("hex")],
    );
    assert.equal(head, long.subarray(0, 4_096).toString());
    assert.equal(tail, long.subarray(-1_024).toString());
    assert.throws(() => splitter.push(Buffer.alloc(10_001, "x")), LineTooLong);
  }
});

test("what would cost far more memory than its text is refused without being parsed", () => {
  const message = (result: string) => `{"jsonrpc":"2.0","id":1,"result":${result}}`;
  const deep = "[".repeat(40_000) + "]".repeat(40_000);
  const cases: [string, RegExp][] = [
    [message(deep), /deeper than 100/],
    [message(`{"x":[${"[],".repeat(500_000)}0]}`), /more than 500000 values/],
    [message(`{"a":"${"\\".repeat(70_000)}","b":${deep}}`), /deeper than 100/],
    ["[".repeat(70_000), /deeper than 100/],
  ];
  for (const [text, reason] of cases) {
    const read = readMessage(text);
    assert.match(read.kind === "refused" ? read.reason : "", reason);
  }
  const texts = [
    "[".repeat(70_000),
    '\\"'.repeat(40_000),
    `${"\\".repeat(70_000)}`,
    ",".repeat(600_000),
  ];
  for (const text of texts) {
    assert.equal(readMessage(message(`{"a":"${text}"}`)).kind, "response", text.slice(0, 8));
  }
});

test("many tiny chunks of one line cost little memory", () => {
  const splitter = new LineSplitter({ lineBytes: 10_000_000 }, () => {});
  const chunk = Buffer.from("x");
  for (let index = 0; index < 1_000_000; index++) splitter.push(chunk);
  splitter.end();
});

test("invalid UTF-8, byte order marks and carriage returns do not reach the JSON", () => {
  const bytes = Buffer.concat([Buffer.from("\uFEFF{}\r\n\r\n\n"), Buffer.from([0xff, 0x0a])]);
  assert.deepEqual(linesOf([bytes]), ["{}", "\uFFFD"]);
});

test("lines come out the same however the bytes are cut into chunks", () => {
  const text = fc.array(fc.string({ unit: "binary" }).map((line) => line.replace(/[\r\n]/g, "")));
  fc.assert(
    fc.property(text, fc.array(fc.nat(30)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const chunks: Buffer[] = [];
      let from = 0;
      for (const size of cuts) {
        chunks.push(bytes.subarray(from, from + size));
        from += size;
      }
      chunks.push(bytes.subarray(from));
      assert.deepEqual(linesOf(chunks, 100_000), linesOf([bytes], 100_000));
    }),
  );
});

test("what is no JSON-RPC message is refused with a reason", () => {
  const deep = "[".repeat(MAX_JSON_DEPTH + 1) + "]".repeat(MAX_JSON_DEPTH + 1);
  const cases: [string, RegExp][] = [
    ["{", /not JSON/],
    ["[]", /batches/],
    ["5", /an object/],
    ['{"jsonrpc":"1.0"}', /"2.0"/],
    ['{"jsonrpc":"2.0"}', /neither a method nor a usable id/],
    ['{"jsonrpc":"2.0","id":1}', /either a result or an error/],
    ['{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}', /either/],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":""}}', /whole number/],
    ['{"jsonrpc":"2.0","id":{},"method":"x"}', /"id"/],
    ['{"jsonrpc":"2.0","id":1.5,"method":"x"}', /"id"/],
    ['{"jsonrpc":"2.0","method":1}', /"method"/],
    ['{"jsonrpc":"2.0","method":"x","params":[]}', /"params"/],
    ['{"jsonrpc":"2.0","id":1,"result":1e999}', /too large/],
    [`{"jsonrpc":"2.0","id":1,"result":${deep}}`, /deeper than 100/],
  ];
  for (const [text, reason] of cases) {
    const read = readMessage(text);
    assert.equal(read.kind, "refused", text);
    assert.match(read.kind === "refused" ? read.reason : "", reason, text.slice(0, 100));
  }
});

test("requests, notifications and responses are told apart", () => {
  assert.equal(readMessage('{"jsonrpc":"2.0","id":"","method":"x"}').kind, "request");
  assert.equal(readMessage('{"jsonrpc":"2.0","method":"x"}').kind, "notification");
  assert.equal(readMessage('{"jsonrpc":"2.0","id":0,"result":null}').kind, "response");
  const error = '{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"","data":1}}';
  assert.equal(readMessage(error).kind, "response");
});
