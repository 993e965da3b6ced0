// Runs the formula engine apart from the servers: what it takes of memory goes away with it, and
// formulas that never end can be stopped.
import { parentPort, workerData } from "node:worker_threads";
import { initSync, Model } from "@ironcalc/wasm";
import type {
  Answer,
  Calculation,
  CalculationRequest,
  Result,
  ResultValue,
  SheetInput,
} from "./calculation.ts";
import { cellName } from "./refs.ts";

const KINDS: Readonly<Record<number, ResultValue["kind"]>> = {
  1: "number",
  4: "boolean",
  16: "error",
};
const SPILLED = 50_000;

interface Block {
  readonly sheet: number;
  readonly row: number;
  readonly column: number;
  readonly width: number;
  readonly height: number;
}

const { wasm } = workerData as { readonly wasm: Uint8Array<ArrayBuffer> };
const { memory } = initSync({ module: wasm });

parentPort?.on("message", (request: CalculationRequest) => {
  parentPort?.postMessage(answer(request));
});

function answer(request: CalculationRequest): Answer {
  // The engine asks for the time and for random numbers; same call, same answer.
  Date.now = () => request.now;
  let seed = 1;
  Math.random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const model = new Model("book", "en", "UTC", "en");
  try {
    const calculation = calculate(model, request.sheets);
    model.free();
    return { calculation, memoryBytes: memory.buffer.byteLength };
  } catch (error) {
    // After a trap the engine is not to be used again; the other side ends this thread.
    const trap = error instanceof Error && error.name === "RuntimeError";
    const why = error instanceof Error ? error.message : String(error);
    return { failed: trap ? "it takes too much memory" : why };
  }
}

function calculate(model: Model, sheets: readonly SheetInput[]): Calculation {
  model.pauseEvaluation();
  for (const _ of sheets) model.newSheet(); // One more than needed, for `exactTexts`.
  for (const [n] of [...sheets, ""].entries()) model.renameSheet(n, `sheet ${n} of this book`);
  for (const [n, { name }] of sheets.entries()) model.renameSheet(n, name);
  for (const [n, sheet] of sheets.entries()) fill(model, n, sheet);
  model.flushSendQueue();
  model.evaluate();
  const blocks = sheets.map((input, sheet) => anchors(input).map((at) => block(model, sheet, at)));
  const exact = exactTexts(model, sheets, blocks.flat());
  return { sheets: blocks.map((some) => some.map((one) => result(model, one, exact))) };
}

function fill(model: Model, sheet: number, { cells, arrays, hiddenRows }: SheetInput): void {
  for (const row of hiddenRows) model.setRowsHidden(sheet, row, row, true);
  for (const [row, column, input] of cells) model.setUserInput(sheet, row, column, input);
  for (const [row, column, width, height, formula] of arrays) {
    model.setUserArrayFormula(sheet, row, column, width, height, formula);
  }
}

function anchors({ cells, arrays, helper = false }: SheetInput): [number, number][] {
  if (helper) return [];
  const formulas = cells.filter(([, , input]) => input.startsWith("="));
  return [...formulas, ...arrays].map(([row, column]) => [row, column]);
}

/** The cells that a formula fills. */
function block(model: Model, sheet: number, [row, column]: [number, number]): Block {
  const structure = model.getCellArrayStructure(sheet, row, column);
  let [width, height] = [1, 1];
  if (typeof structure === "object") {
    if ("DynamicAnchor" in structure) [width, height] = structure.DynamicAnchor;
    if ("ArrayAnchor" in structure) [width, height] = structure.ArrayAnchor;
  }
  if (width * height > SPILLED) {
    throw new Error(`${cellName(row, column)} fills more than ${SPILLED} cells`);
  }
  return { sheet, row, column, width, height };
}

/**
 * The engine shows numbers rounded. Joined to an empty text they come out with all their digits,
 * so a sheet of ours does that for all cells that are asked for. The answer is by place.
 */
function exactTexts(
  model: Model,
  sheets: readonly SheetInput[],
  blocks: readonly Block[],
): ReadonlyMap<string, string> {
  const ours = sheets.length;
  const texts = new Map<string, string>();
  const places: { readonly start: number; readonly block: Block }[] = [];
  let start = 1;
  for (const block of merged(blocks)) {
    const { sheet, row, column, width, height } = block;
    const name = `'${(sheets[sheet]?.name ?? "").replaceAll("'", "''")}'`;
    const last = cellName(row + height - 1, column + width - 1);
    const formula = `=${name}!${cellName(row, column)}:${last}&""`;
    model.setUserArrayFormula(ours, start, 1, width, height, formula);
    places.push({ start, block });
    start += height;
  }
  model.flushSendQueue();
  model.evaluate();
  for (const { start, block } of places) {
    for (let n = 0; n < block.width * block.height; n++) {
      const [down, right] = [Math.floor(n / block.width), n % block.width];
      // Of the cell that has the formula the content is the formula.
      const text =
        n === 0
          ? model.getFormattedCellValue(ours, start, 1)
          : model.getCellContent(ours, start + down, 1 + right);
      texts.set(key(block.sheet, block.row + down, block.column + right), text);
    }
  }
  return texts;
}

/** Single cells that lie under each other as one block. */
function merged(blocks: readonly Block[]): Block[] {
  const single = blocks.filter(({ width, height }) => width * height === 1);
  const sorted = single.toSorted(
    (a, b) => a.sheet - b.sheet || a.column - b.column || a.row - b.row,
  );
  const runs: Block[] = [];
  for (const block of sorted) {
    const { sheet, row, column, height } = runs.at(-1) ?? {
      sheet: -1,
      row: 0,
      column: 0,
      height: 0,
    };
    const follows = sheet === block.sheet && column === block.column && row + height === block.row;
    if (follows) runs.splice(-1, 1, { ...block, row, height: height + 1 });
    else runs.push(block);
  }
  return [...runs, ...blocks.filter(({ width, height }) => width * height > 1)];
}

function result(model: Model, block: Block, exact: ReadonlyMap<string, string>): Result {
  const { sheet, row, column, width, height } = block;
  const values: ResultValue[] = [];
  for (let n = 0; n < width * height; n++) {
    const [r, c] = [row + Math.floor(n / width), column + (n % width)];
    const kind = KINDS[model.getCellType(sheet, r, c)] ?? "text";
    const shown = () => model.getFormattedCellValue(sheet, r, c);
    const text = kind === "error" ? shown() : (exact.get(key(sheet, r, c)) ?? shown());
    // Excel has no numbers that are less than the smallest with all digits.
    const none = kind === "number" && Math.abs(Number(text)) < 2 ** -1022;
    values.push({ kind, text: none ? "0" : text });
  }
  const format = model.getCellStyle(sheet, row, column).style.num_fmt;
  return { row, column, width, height, values, format };
}

function key(sheet: number, row: number, column: number): string {
  return `${sheet} ${row} ${column}`;
}
