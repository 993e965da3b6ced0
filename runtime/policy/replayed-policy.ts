import { connectClient } from "../mcp/mcp-client.ts";
import type { Step } from "../mcp/record/step.ts";
import type { Policy } from "../rollout/policy.ts";

/** Makes the first calls of an earlier rollout again, one after the other, whatever they give. */
export function replayedPolicy(name: string, steps: readonly Step[], answer: string): Policy {
  return {
    name,
    async play({ url, token }, signal) {
      await using client = await connectClient(url, token, signal);
      await client.listTools();
      for (const { exposedName, arguments: args } of steps) {
        await client.callTool(exposedName, (args ?? {}) as Readonly<Record<string, unknown>>);
      }
      return { answer };
    },
  };
}
