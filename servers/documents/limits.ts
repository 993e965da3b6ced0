const MIB = 1024 * 1024;

/** Bounds on what is taken in and given out. Beyond them a tool says so; nothing is half done. */
export const LIMITS = {
  fileBytes: 32 * MIB,
  /** Text files that are read as structure. */
  textBytes: 24 * MIB,
  zipEntries: 4_000,
  /** All parts of a Word file together, inflated. */
  packageBytes: 192 * MIB,
  /** One part that is read as XML, inflated. */
  xmlBytes: 24 * MIB,
  xmlDepth: 400,
  pdfPages: 2_000,
  /** Of the text of one answer, in characters. */
  answerChars: 26_000,
  /** Of one line of an answer; longer ones go on in the next line. */
  lineChars: 6_000,
  /** For one call of the engine that parses: of processor time, and in all on a busy machine. */
  callCpuMs: 20_000,
  callMs: 55_000,
  renderMs: 20_000,
  pngBytes: 8 * MIB,
} as const;
