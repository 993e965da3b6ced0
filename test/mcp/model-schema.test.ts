import assert from "node:assert/strict";
import { test } from "node:test";
import { modelSchema } from "../../runtime/mcp/model-schema.ts";

const TOP = ["anyOf", "oneOf", "allOf", "not", "enum", "$schema", "$ref", "$id", "if", "const"];
const A = { type: "object", properties: { a: { type: "string" } }, required: ["a", "id"] };
const B = { type: "object", properties: { b: { type: "array" } }, required: ["b", "id"] };

const GIVEN: readonly object[] = [
  { type: "object", anyOf: [A, B] },
  { oneOf: [A, B], $schema: "https://json-schema.org/draft/2020-12/schema" },
  { type: "object", properties: { c: {} }, allOf: [A, { anyOf: [B, {}] }] },
  { $ref: "#/$defs/A", $defs: { A } },
  { $ref: "#/$defs/A", $defs: { A: { $ref: "#/$defs/A" } } },
  { $ref: "https://example.com/schema.json", $id: "x" },
  { type: ["object", "null"], not: { required: ["x"] }, enum: [{}], const: {}, if: {} },
  {},
];

test("whatever a server describes, models' APIs are given a plain object at the top", () => {
  for (const given of GIVEN) {
    const schema = modelSchema(given);
    assert.equal(schema["type"], "object");
    assert.ok(typeof schema["properties"] === "object");
    assert.deepEqual(
      TOP.filter((key) => key in schema),
      [],
      JSON.stringify(given),
    );
  }
});

test("members of all branches are there, what every branch needs is required, the rest is said", () => {
  assert.deepEqual(modelSchema({ type: "object", anyOf: [A, B] }), {
    type: "object",
    description: "Needed is one of: a; or b.",
    properties: { a: { type: "string" }, b: { type: "array", items: {} } },
    required: ["id"],
  });
  const both = modelSchema({ allOf: [A, B], properties: { a: { maxLength: 3 } } });
  assert.deepEqual(both["required"], ["a", "id", "b"]);
  assert.deepEqual((both["properties"] as Record<string, unknown>)["a"], {
    allOf: [{ maxLength: 3 }, { type: "string" }],
  });
  assert.deepEqual(modelSchema({ $ref: "#/$defs/A", $defs: { A } })["properties"], A.properties);
});

test("a schema that is fine stays as it is", () => {
  const fine = { type: "object", title: "T", additionalProperties: false, properties: { a: {} } };
  assert.deepEqual(modelSchema({ ...fine, required: ["a"] }), { ...fine, required: ["a"] });
  const odd = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}');
  assert.match(JSON.stringify(modelSchema(odd)), /"__proto__":\{"type":"string"\}/);
});
