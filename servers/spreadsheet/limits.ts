/** Bounds on what is taken in. Beyond them a tool says so; nothing is half read. */
export const LIMITS = {
  fileBytes: 32 * 1024 * 1024,
  entries: 5_000,
  /** All parts together, inflated. */
  packageBytes: 256 * 1024 * 1024,
  /** One part, inflated, as its text is held in memory. */
  partBytes: 32 * 1024 * 1024,
  /** Rows that a sheet's file may list, empty ones too. */
  listedRows: 200_000,
  formulas: 100_000,
  /** Cells that formulas may read. */
  inputs: 600_000,
  /** Cells that one formula may name, whole columns aside. */
  readCells: 5_000_000,
  calculationMs: 30_000,
  writtenCells: 50_000,
  cellText: 32_767,
  formulaText: 8_192,
  answerBytes: 36_000,
} as const;

export const MAX_ROW = 1_048_576;
export const MAX_COLUMN = 16_384;
