import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { tokens, translated } from "../../../servers/spreadsheet/formula.ts";
import { renameRewrite, shiftRewrite } from "../../../servers/spreadsheet/rewrite.ts";
import { storedFormula } from "../../../servers/spreadsheet/stored-formula.ts";

const PLACE = { sheet: "Data", row: 2, column: 2 };

test("the tokens of any text joined are the text", () => {
  const piece = fc.constantFrom(
    ..."A1 $B$2:C3 'a b'! Data! \"x\" ( ) , [ ] T[[#All],[a]] #REF! 1E5 : @ # é SUM".split(" "),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((all) => all.join("")),
      ),
      (text) => {
        assert.equal(
          tokens(text)
            .map((token) => token.text)
            .join(""),
          text,
        );
      },
    ),
  );
});

test("references follow rows that are put in, as a spreadsheet has it", () => {
  const rewrite = shiftRewrite("Data", { axis: "row", at: 3, count: 2 });
  for (const [old, next] of [
    ["A1+A2", "A1+A2"],
    ["A3", "A5"],
    ["$A$3:$B$9", "$A$5:$B$11"],
    ["SUM(A1:A5)", "SUM(A1:A7)"],
    ["SUM(A:A)+SUM(3:4)", "SUM(A:A)+SUM(5:6)"],
    ["Data!A3+Other!A3", "Data!A5+Other!A3"],
    ["'data'!A3", "'data'!A5"],
    ['"A3"&LOG10(3)', '"A3"&LOG10(3)'],
    ["A1048576", "#REF!"],
    ["SUM(A2:A1048576)", "SUM(A2:A1048576)"],
    ["A9:A3", "A11:A5"],
    ["[1]Data!A3", "[1]Data!A3"],
  ] as const) {
    assert.equal(rewrite(old, "Data"), next, old);
  }
  assert.equal(rewrite("A3+Data!A3", "Other"), "A3+Data!A5");
  assert.throws(() => rewrite("SUM(A:C!A1)+SUM(Data:Other!A1)", "Data"), /several sheets/);
});

test("references to rows that are taken out shrink, or are lost", () => {
  const rewrite = shiftRewrite("Data", { axis: "row", at: 3, count: -2 });
  for (const [old, next] of [
    ["A2+A5", "A2+A3"],
    ["A3", "#REF!"],
    ["SUM(A1:A10)", "SUM(A1:A8)"],
    ["SUM(A3:A10)", "SUM(A3:A8)"],
    ["SUM(A1:A4)", "SUM(A1:A2)"],
    ["SUM(A3:A4)", "SUM(#REF!)"],
    ["Data!$B$4", "Data!#REF!"],
  ] as const) {
    assert.equal(rewrite(old, "Data"), next, old);
  }
  const columns = shiftRewrite("Data", { axis: "column", at: 2, count: -1 });
  assert.equal(columns("B1+C1+SUM(A:D)+SUM(1:3)", "Data"), "#REF!+B1+SUM(A:C)+SUM(1:3)");
});

test("a sheet's new name is quoted where it must be", () => {
  const rewrite = renameRewrite("Data", "It's 2026");
  assert.equal(
    rewrite("Data!A1&\"Data!A1\"+'DATA'!Rate", "x"),
    "'It''s 2026'!A1&\"Data!A1\"+'It''s 2026'!Rate",
  );
  assert.equal(renameRewrite("Data", undefined)("SUM(Data!A:A)", "x"), "SUM(#REF!)");
  assert.equal(renameRewrite("a b", "R1C1")("'a b'!A1", "x"), "'R1C1'!A1");
});

test("copied formulas move what is not fixed", () => {
  assert.equal(translated("A1+$A1+A$1+$A$1+B:B+$2:2", 1, 2), "C2+$A2+C$1+$A$1+D:D+$2:3");
  assert.equal(translated("A1+Other!B2", -1, 0), "#REF!+Other!B1");
});

test("what people type is put as files hold it", () => {
  for (const [typed, stored] of [
    ["sum(a1:A3)", "SUM(a1:A3)"],
    ['xlookup("a",A:A,B:B)', '_xlfn.XLOOKUP("a",A:A,B:B)'],
    ["FILTER(A1:A3,B1:B3)", "_xlfn._xlws.FILTER(A1:A3,B1:B3)"],
    ["LET(x,2,LAMBDA(y,x*y)(3))", "_xlfn.LET(_xlpm.x,2,_xlfn.LAMBDA(_xlpm.y,_xlpm.x*_xlpm.y)(3))"],
    ["SUM(D1#)", "SUM(_xlfn.ANCHORARRAY(D1))"],
    ["_xlfn.XLOOKUP(1,A:A,B:B)", "_xlfn.XLOOKUP(1,A:A,B:B)"],
    ["T[@Amount]*2", "T[[#This Row],[Amount]]*2"],
    ["T[@[Net amount]]", "T[[#This Row],[Net amount]]"],
  ] as const) {
    assert.equal(storedFormula(typed, PLACE, []), stored, typed);
  }
});
