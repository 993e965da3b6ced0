/**
 * A mistake of the caller's, said so that a model can mend it: what happened, to what, and what to
 * do instead. Becomes a result with `isError`, never a protocol error. Anything else that a tool
 * throws is our bug: it is told as such, without its stack, and goes to stderr whole.
 */
export class ToolError extends Error {
  override readonly name = "ToolError";
}
