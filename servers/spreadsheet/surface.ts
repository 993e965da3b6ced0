import type { Surface } from "../kit/surface.ts";
import { bookTools } from "./book-tools.ts";
import { csvTools } from "./csv-tools.ts";
import { dataTools } from "./data-tools.ts";
import { layoutTools } from "./layout-tools.ts";
import { queryTools } from "./query-tools.ts";
import { readTools } from "./read-tools.ts";
import { sortTool } from "./sort-tool.ts";
import { writeTools } from "./write-tools.ts";

/** Workbooks of the workspace: files are changed in place, what is not touched stays as it is. */
export const spreadsheetSurface: Surface = (world) => ({
  name: "spreadsheet",
  title: "Spreadsheets",
  instructions:
    "Works on .xlsx and .xlsm files of the workspace. Begin with describe_workbook, then read_range. " +
    "Every change is saved at once, with all formulas recomputed and their values stored; charts, " +
    "rules and formats that are not touched stay as they are. What cannot be kept is refused.",
  tools: [
    ...readTools(world),
    ...queryTools(world),
    ...writeTools(world),
    sortTool(world),
    ...layoutTools(world),
    ...bookTools(world),
    ...dataTools(world),
    ...csvTools(world),
  ],
});
