import { specTypeSchemas } from "@modelcontextprotocol/server";
import { isObject } from "../json-rpc.ts";

/**
 * What the protocol says against this description of a tool; undefined if nothing. Official clients
 * give up all tools for one that is malformed. Both versions are held to: 2025-11-25 has objects as
 * schemas of members and of results, which 2026-07-28 no longer asks for.
 */
export function toolProblem(tool: unknown): string | undefined {
  const checked = specTypeSchemas.Tool["~standard"].validate(tool);
  if (checked instanceof Promise || !isObject(tool)) return "it is no object";
  if (checked.issues !== undefined) {
    const [issue] = checked.issues;
    const path = issue?.path?.map((key) => String(typeof key === "object" ? key.key : key)) ?? [];
    return `${path.join(".")}: ${issue?.message ?? "it is invalid"}`.slice(0, 300);
  }
  for (const name of ["inputSchema", "outputSchema"]) {
    const schema = tool[name];
    if (!isObject(schema)) continue;
    if (schema["type"] !== "object") return `${name}.type: it is not "object"`;
    const members = Object.entries(isObject(schema["properties"]) ? schema["properties"] : {});
    const wrong = members.find(([, member]) => !isObject(member));
    if (wrong !== undefined) return `${name}.properties.${wrong[0]}: it is no object`.slice(0, 300);
  }
  return undefined;
}
