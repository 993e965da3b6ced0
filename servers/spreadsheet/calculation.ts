/** What the formula engine is given, in plain values that pass between threads. */
export interface CalculationRequest {
  /** Milliseconds since 1970: the time that NOW() tells. */
  readonly now: number;
  readonly sheets: readonly SheetInput[];
}

export interface SheetInput {
  readonly name: string;
  /** Row, column and what one would type there. */
  readonly cells: readonly (readonly [number, number, string])[];
  /** Row, column, width, height and formula. */
  readonly arrays: readonly (readonly [number, number, number, number, string])[];
  readonly hiddenRows: readonly number[];
  /** Nobody asks for its values. */
  readonly helper?: boolean;
}

export interface ResultValue {
  readonly kind: "number" | "text" | "boolean" | "error";
  readonly text: string;
}

/** What a formula came to: more than one value if it fills cells beside its own. */
export interface Result {
  readonly row: number;
  readonly column: number;
  readonly width: number;
  readonly height: number;
  /** Row by row. */
  readonly values: readonly ResultValue[];
  /** The number format that the engine would give it, such as "m/d/yyyy". */
  readonly format: string;
}

export interface Calculation {
  /** For each sheet its formulas, in the order of `cells`, then of `arrays`. */
  readonly sheets: readonly (readonly Result[])[];
}

/** What the thread answers: a calculation, or why there is none. */
export type Answer =
  | { readonly calculation: Calculation; readonly memoryBytes: number }
  | { readonly failed: string };
