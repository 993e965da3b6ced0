import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { shortly } from "../../servers/kit/short-schema.ts";

const schema = z.object({
  path: z.string().max(1024).describe("Workbook"),
  at: z.int().min(0).default(0),
  value: z.union([z.string(), z.number(), z.null()]),
  cells: z.record(z.string(), z.string()),
  maxLength: z.object({ description: z.string() }),
});

test("a tool's schema is told without what says nothing, and checked as before", () => {
  const { jsonSchema, validate } = shortly(schema)["~standard"];
  assert.deepEqual(jsonSchema.input(), {
    type: "object",
    properties: {
      path: { type: "string", description: "Workbook" },
      at: { default: 0, type: "integer", minimum: 0 },
      value: { type: ["string", "number", "null"] },
      cells: { type: "object", additionalProperties: { type: "string" } },
      maxLength: {
        type: "object",
        properties: { description: { type: "string" } },
        required: ["description"],
      },
    },
    required: ["path", "value", "cells", "maxLength"],
  });
  const long = { path: "x".repeat(1025), value: null, cells: {}, maxLength: { description: "" } };
  assert.match(JSON.stringify(validate(long)), /1024/);
});

test("what comes back is told without words, its fields all the same", () => {
  const told = JSON.stringify(shortly(schema)["~standard"].jsonSchema.output());
  assert.doesNotMatch(told, /Workbook|additionalProperties":false/);
  assert.match(
    told,
    /"maxLength":\{"type":"object","properties":\{"description":\{"type":"string"/,
  );
});
