import type { z } from "@hono/zod-openapi";
import { PROBLEM_TYPE, problemSchema } from "./problem.ts";

/** How the document describes a JSON answer. */
export function jsonAnswer<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } } as const;
}

/** How the document describes every failure: its status says the rest. */
export const failures = {
  default: {
    description: "A problem document; `code` says which.",
    content: { [PROBLEM_TYPE]: { schema: problemSchema } },
  },
} as const;

/** How the document describes a body. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema, required: boolean) {
  return { content: { "application/json": { schema } }, required } as const;
}
