import { BY, cell, del, ins, mark, p, r, tbl, tc, tr, type WordCase } from "./markup.ts";

/** Tracked changes. */
export const CHANGES: readonly WordCase[] = [
  {
    name: "a replacement",
    body: p(r("The fee is ") + del("100 EUR") + ins(r("250 EUR")) + r(".")),
    final: ["The fee is 250 EUR."],
    original: ["The fee is 100 EUR."],
  },
  {
    name: "a move within the text",
    body:
      p(`${r("First ")}<w:moveFrom ${BY}>${r("moved ")}</w:moveFrom>${r("here.")}`) +
      p(`${r("Then ")}<w:moveTo ${BY}>${r("moved ")}</w:moveTo>${r("there.")}`),
    final: ["First here.", "Then moved there."],
    original: ["First moved here.", "Then there."],
  },
  {
    name: "an insertion that another hand took out again",
    body: p(r("Kept") + ins(del(" not kept"))),
    final: ["Kept"],
    original: ["Kept"],
  },
  {
    name: "a hyperlink inside of an insertion",
    body: p(ins(`<w:hyperlink w:anchor="x">${r("Section 2")}</w:hyperlink>`) + r(" applies.")),
    final: ["Section 2 applies."],
    original: ["applies."],
  },
  {
    name: "a paragraph whose end is taken out",
    body: p(r("One ") + del("old "), mark("del")) + p(r("two.")) + p(r("Three.")),
    final: ["One two.", "Three."],
    original: ["One old", "two.", "Three."],
  },
  {
    name: "a paragraph that is taken out whole",
    body: p(del("Gone."), mark("del")) + p(r("Stays.")),
    final: ["Stays."],
    original: ["Gone.", "Stays."],
  },
  {
    name: "a paragraph that was split",
    body: p(r("One "), mark("ins")) + p(r("two.")),
    final: ["One", "two."],
    original: ["One two."],
  },
  {
    name: "rows put in and taken out",
    body: tbl(
      tr(cell("kept")) +
        tr(tc(p(ins(r("added")))), `<w:ins ${BY}/>`) +
        tr(tc(p(del("gone"))), `<w:del ${BY}/>`) +
        tr(cell("gone, its text unmarked"), `<w:del ${BY}/>`),
    ),
    final: [],
    tables: [[["kept"], ["added"]]],
    originalTables: [[["kept"], ["gone"], ["gone, its text unmarked"]]],
  },
  {
    name: "the change of a cell's text",
    body: tbl(tr(cell("Fee") + tc(p(del("100") + ins(r("250")))))),
    final: [],
    tables: [[["Fee", "250"]]],
    originalTables: [[["Fee", "100"]]],
  },
  {
    name: "looks that changed",
    body: p(
      `<w:r><w:rPr><w:b/><w:rPrChange ${BY}><w:rPr><w:i/></w:rPr></w:rPrChange></w:rPr><w:t>Same</w:t></w:r>`,
    ),
    final: ["Same"],
  },
];
