import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Frame, FrameReader } from "../../runtime/mcp/terminal/frames.ts";
import { hintFor } from "../../runtime/mcp/terminal/hints.ts";
import { KeptOutput, readable, Tail } from "../../runtime/mcp/terminal/kept-output.ts";

const NONCE = "n0nce";

describe("frames between output", () => {
  const read = (chunks: readonly Buffer[]) => {
    const output: Buffer[] = [];
    const frames: Frame[] = [];
    const reader = new FrameReader(NONCE, {
      output: (bytes) => output.push(Buffer.from(bytes)),
      frame: (frame) => frames.push(frame),
    });
    for (const chunk of chunks) reader.push(chunk);
    reader.end();
    return { output: Buffer.concat(output), frames };
  };
  const frame = (text: string) => Buffer.from(`\u001e${NONCE};${text}\0`);

  it("takes what only looks like a frame for output", () => {
    for (const text of ["\u001e", "\u001en0nc", "\u001en0ncE;D;1\0", `\u001e${NONCE};D;1`]) {
      const { output, frames } = read([Buffer.from(text)]);
      assert.deepEqual(frames, []);
      assert.equal(output.toString(), text);
    }
  });

  it("does not let a begun frame swallow the next one", () => {
    const { output, frames } = read([Buffer.from(`\u001e${NONCE};junk`), frame("D;1")]);
    assert.deepEqual(frames, [{ kind: "D", fields: ["1"] }]);
    assert.equal(output.toString(), `\u001e${NONCE};junk`);
  });

  it("takes a frame that never ends for output, within bounds", () => {
    const endless = Buffer.concat([Buffer.from(`\u001e${NONCE};`), Buffer.alloc(2 ** 20, "x")]);
    const { output, frames } = read([endless, frame("D;1")]);
    assert.deepEqual(frames, [{ kind: "D", fields: ["1"] }]);
    assert.ok(output.equals(endless));
  });

  it("finds every frame and loses no byte, however the stream is cut into chunks", () => {
    const byte = fc.oneof(fc.constantFrom(0x1e, 0, ...Buffer.from(`${NONCE};`)), fc.nat(255));
    const part = fc.oneof(
      fc.array(byte, { maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      fc.constant("frame"),
    );
    const property = fc.property(
      fc.array(part, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 }),
      (parts, cuts) => {
        // Junk before a frame must not be the begin of one itself, so it ends in a plain letter.
        const plain = parts.map((each) =>
          each === "frame" ? frame("D;1;a") : Buffer.concat([each as Buffer, Buffer.from("z\0")]),
        );
        const stream = Buffer.concat(plain);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(stream.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(stream.subarray(at));
        const { output, frames } = read(chunks);
        const whole = read([stream]);
        assert.deepEqual(frames, whole.frames);
        assert.ok(output.equals(whole.output));
        assert.ok(frames.length >= parts.filter((each) => each === "frame").length);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});

describe("kept output", () => {
  it("keeps a short output whole and counts what it drops of a long one", () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 9_000 }), { maxLength: 12 });
    const property = fc.property(chunks, (all) => {
      const kept = new KeptOutput();
      const whole = Buffer.concat(all).map((byte) => 97 + (byte % 26));
      let at = 0;
      for (const { length } of all) {
        kept.push(Buffer.from(whole.subarray(at, at + length)));
        at += length;
      }
      const { text, droppedBytes } = kept.read();
      const expected = Buffer.from(whole).toString();
      if (whole.length <= 32_768) assert.equal(text, expected);
      else {
        const mark = `\n… ${droppedBytes.toLocaleString("en-US")} bytes left out …\n`;
        assert.equal(droppedBytes, whole.length - 32_768);
        assert.equal(text, `${expected.slice(0, 16_384)}${mark}${expected.slice(-16_384)}`);
      }
    });
    fc.assert(property, { numRuns: 100 });
  });

  it("cuts between characters, not within one", () => {
    for (const character of ["é", "€", "🜁"]) {
      for (const offset of ["", "a", "ab", "abc"]) {
        const kept = new KeptOutput();
        kept.push(Buffer.from(`${offset}${character.repeat(40_000)}`));
        const { text, droppedBytes } = kept.read();
        assert.doesNotMatch(text, /\ufffd/);
        const shown = Buffer.byteLength(text.replace(/\n….*…\n/, ""));
        assert.equal(shown + droppedBytes, Buffer.byteLength(offset + character.repeat(40_000)));
      }
    }
  });

  it("ignores what comes after it was sealed", () => {
    const kept = new KeptOutput();
    kept.push(Buffer.from("a"));
    kept.seal();
    kept.push(Buffer.from("b"));
    assert.equal(kept.read().text, "a");
  });

  it("gives the tail from any byte on", () => {
    const property = fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }),
      fc.nat(300),
      (chunks, wanted) => {
        const tail = new Tail(64);
        for (const chunk of chunks) tail.push(Buffer.from(chunk));
        const whole = Buffer.concat(chunks);
        const since = Math.min(wanted, whole.length);
        const { kept, dropped } = tail.read(since);
        assert.equal(kept.length + dropped, whole.length - since);
        assert.ok(kept.equals(whole.subarray(whole.length - kept.length)));
        assert.ok(kept.length === whole.length - since || kept.length === 64);
      },
    );
    fc.assert(property);
  });
});

describe("readable text", () => {
  it("drops escape sequences and control characters and ends lines at carriage returns", () => {
    const from = (text: string) => readable(Buffer.from(text));
    assert.equal(
      from("\u001b[2J\u001b[1;31mred\u001b[0m\u001b]8;;http://x\u001b\\link"),
      "redlink",
    );
    assert.equal(from("10%\r20%\r\nx\by\u0007\u009b"), "10%\n20%\nxy");
    assert.equal(from("\u001b]unfinished\nnext"), "\nnext");
    assert.equal(from("\ufeffa\tb"), "\ufeffa\tb");
  });

  it("never holds a control character, whatever the bytes", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const controls = [...readable(Buffer.from(bytes))].filter((letter) => {
        const code = letter.codePointAt(0) ?? 0;
        return (code < 32 && letter !== "\t" && letter !== "\n") || (code > 126 && code < 160);
      });
      assert.deepEqual(controls, []);
    });
    fc.assert(property);
  });
});

describe("hints", () => {
  it("come for programs that are called by themselves, and only then", () => {
    assert.match(hintFor(" top ") ?? "", /ps aux/);
    assert.match(hintFor("vim a.txt") ?? "", /needs a terminal/);
    assert.match(hintFor("watch -n 1 ls") ?? "", /never ends/);
    assert.match(hintFor("EDITOR=x exec top -d 1") ?? "", /ps aux/);
    for (const command of [
      "top -b -n 1",
      "top -bn1",
      "less a.txt",
      "python3 x.py",
      "constructor",
      "",
      "ls",
    ]) {
      assert.equal(hintFor(command), undefined, command);
    }
  });

  it("come for the other commands of a line only if it failed", () => {
    for (const line of ["cd notes && vim a.txt", "ls; top", "cat a |\n vi -"]) {
      assert.match(hintFor(line, { failed: true }) ?? "", /needs a terminal/, line);
      assert.equal(hintFor(line), undefined, line);
    }
    for (const line of ["cat a.txt | less", "false && python3", "grep top a.txt || exit 1"]) {
      assert.equal(hintFor(line, { failed: true }), undefined, line);
    }
  });
});
