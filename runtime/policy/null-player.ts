import type { Player } from "../rollout/player.ts";

/** Does nothing and says it is done. What a task pays for it is what a task pays for nothing. */
export const nullPlayer: Player = {
  name: "null",
  play: async () => ({ answer: null }),
};
