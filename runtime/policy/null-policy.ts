import type { Policy } from "../rollout/policy.ts";

/** Does nothing and says it is done. What a task pays for it is what a task pays for nothing. */
export const nullPolicy: Policy = {
  name: "null",
  play: async () => ({ answer: null }),
};
