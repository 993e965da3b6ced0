import { CHANGES } from "./changes.ts";
import {
  BY,
  box,
  cell,
  field,
  instruction,
  oldBox,
  p,
  r,
  sdt,
  tbl,
  tc,
  tr,
  type WordCase,
} from "./markup.ts";

const WRAPPERS: readonly WordCase[] = [
  {
    name: "an address as a link, in text and in a cell",
    body:
      p(
        `${r("Write to ")}<w:hyperlink w:anchor="a">${r("uma@x.test")}</w:hyperlink>${r(" today.")}`,
      ) + tbl(tr(tc(p(`<w:hyperlink w:anchor="b">${r("https://x.test/a")}</w:hyperlink>`)))),
    final: ["Write to uma@x.test today."],
    tables: [[["https://x.test/a"]]],
  },
  {
    name: "content controls inline, one in the other",
    body: p(r("Due ") + sdt(r("2 March ") + sdt(r("2026"))) + r(".")),
    final: ["Due 2 March 2026."],
  },
  {
    name: "a content control of blocks",
    body: sdt(p(r("Inside")) + sdt(p(r("deeper")))) + p(r("after")),
    final: ["Inside", "deeper", "after"],
  },
  {
    name: "content controls of a row and of a cell",
    body: tbl(tr(cell("a") + sdt(cell("b"))) + sdt(tr(cell("c") + cell("d")))),
    final: [],
    tables: [
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
  },
  {
    name: "a content control around a table",
    body: sdt(tbl(tr(cell("a")))),
    final: [],
    tables: [[["a"]]],
  },
  {
    name: "custom XML and smart tags",
    body: `<w:customXml w:element="x">${p(`<w:smartTag w:element="place">${r("Porto")}</w:smartTag>` + `<w:customXml w:element="y">${r(" again")}</w:customXml>`)}</w:customXml>`,
    final: ["Porto again"],
  },
  {
    name: "a direction and an override",
    body: p(`<w:dir w:val="rtl">${r("abc")}</w:dir><w:bdo w:val="ltr">${r(" def")}</w:bdo>`),
    final: ["abc def"],
  },
];

const FIELDS: readonly WordCase[] = [
  {
    name: "a simple field",
    body: p(`${r("Page ")}<w:fldSimple w:instr="PAGE">${r("7")}</w:fldSimple>`),
    final: ["Page 7"],
  },
  {
    name: "a complex field",
    body: p(
      field("begin") +
        instruction(' HYPERLINK "https://x.test" ') +
        field("separate") +
        r("the page") +
        field("end") +
        r("."),
    ),
    final: ["the page."],
  },
  {
    name: "a field inside of another's instruction",
    body: p(
      r("Dear ") +
        field("begin") +
        instruction("IF ") +
        field("begin") +
        instruction("MERGEFIELD x") +
        field("separate") +
        r("unseen") +
        field("end") +
        instruction(' = "1" ') +
        field("separate") +
        r("Ms Lê") +
        field("end"),
    ),
    final: ["Dear Ms Lê"],
  },
  {
    name: "a field without a result",
    body: p(r("A") + field("begin") + instruction("XE x") + r("unseen") + field("end") + r("B")),
    final: ["AB"],
  },
  {
    name: "a field over paragraphs",
    body:
      p(field("begin") + instruction("TOC") + field("separate") + r("Fees")) +
      p(r("Terms")) +
      p(field("end") + r("Text")),
    final: ["Fees", "Terms", "Text"],
  },
];

const LETTERS: readonly WordCase[] = [
  {
    name: "symbols",
    body: p(
      `<w:r><w:sym w:font="Wingdings" w:char="F0FC"/><w:t> done, 20</w:t><w:sym w:font="Times New Roman" w:char="00B0"/></w:r>`,
    ),
    final: ["✓ done, 20°"],
  },
  {
    name: "symbols that are none",
    body: p(
      `<w:r><w:sym w:char="D800"/><w:sym w:char="FFFFFFFF"/><w:sym w:char="x"/><w:t>ok</w:t></w:r>`,
    ),
    final: ["ok"],
  },
  {
    name: "hyphens that break no line, and those that may",
    body: p(
      `<w:r><w:t>re</w:t><w:noBreakHyphen/><w:t>read co</w:t><w:softHyphen/><w:t>operate</w:t></w:r>`,
    ),
    final: ["re\u2011read cooperate"],
  },
  {
    name: "tabs and breaks",
    body: p(
      `<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:cr/><w:t>d</w:t><w:ptab w:alignment="right"/><w:t>e</w:t></w:r>`,
    ),
    final: ["a b c d e"],
  },
  {
    name: "a page break between words",
    body: p(`<w:r><w:t>before</w:t><w:br w:type="page"/><w:t>after</w:t></w:r>`),
    final: ["before after"],
  },
  {
    name: "tab stops, which are no tabs",
    body: p(r("a"), '<w:tabs><w:tab w:val="left" w:pos="1"/></w:tabs>'),
    final: ["a"],
  },
  {
    name: "a formula",
    body: p(`${r("where ")}<m:oMath><m:r><m:t>a=b</m:t></m:r></m:oMath>`),
    final: ["where a=b"],
  },
  {
    name: "a text read aloud above another",
    body: p(
      `<w:r><w:ruby><w:rt>${r("kan")}</w:rt><w:rubyBase>${r("漢")}</w:rubyBase></w:ruby></w:r>`,
    ),
    final: ["漢"],
  },
  { name: "blanks of all kinds", body: p(r("12\u00a0copies   came")), final: ["12 copies came"] },
];

const PLACES: readonly WordCase[] = [
  {
    name: "a text box for new and old programs",
    body: p(r("Around") + box(p(r("Boxed")) + p(r("twice")))),
    final: ["Around", "Boxed", "twice"],
  },
  { name: "an old text box", body: p(oldBox(p(r("Old box")))), final: ["Old box"] },
  {
    name: "a text box that was taken out",
    body: p(`${r("Text")}<w:del ${BY}>${oldBox(p(r("Gone")))}</w:del>`),
    final: ["Text"],
    original: ["Text", "Gone"],
  },
  {
    name: "a table in a cell",
    body: tbl(tr(tc(p(r("Before")) + tbl(tr(cell("x") + cell("y"))) + p("")) + cell("z"))),
    final: [],
    tables: [[["Before x y", "z"]], [["x", "y"]]],
  },
  {
    name: "rows that begin later",
    body: tbl(tr(cell("a") + cell("b") + cell("c")) + tr(cell("d"), '<w:gridBefore w:val="2"/>')),
    final: [],
    tables: [
      [
        ["a", "b", "c"],
        ["", "", "d"],
      ],
    ],
  },
  {
    name: "cells that are merged both ways",
    body: tbl(
      tr(cell("wide", '<w:gridSpan w:val="2"/>') + cell("tall", '<w:vMerge w:val="restart"/>')) +
        tr(cell("l") + cell("m") + cell("", "<w:vMerge/>")),
    ),
    final: [],
    tables: [
      [
        ["wide", "wide", "tall"],
        ["l", "m", "tall"],
      ],
    ],
  },
  {
    name: "footnotes",
    body:
      p(`${r("The fee")}<w:r><w:footnoteReference w:id="2"/></w:r>${r(" is due.")}`) +
      p(`<w:del ${BY}><w:r><w:footnoteReference w:id="3"/></w:r></w:del>${r("End.")}`),
    notes: {
      2: p(`<w:r><w:footnoteRef/></w:r>${r(" Without tax.")}`),
      3: p(r(" Taken out.")),
      4: p(r(" Never referred to.")),
    },
    final: ["The fee is due.", "End.", "Without tax."],
    original: ["The fee is due.", "End.", "Without tax.", "Taken out."],
  },
];

export const WORD_CASES: readonly WordCase[] = [
  ...CHANGES,
  ...WRAPPERS,
  ...FIELDS,
  ...LETTERS,
  ...PLACES,
];
