// The door of "cloche/client": all that a worker may name, and nothing else.
// biome-ignore-all lint/performance/noBarrelFile: a package's entry is the one place for it.
export { Cloche, type RolloutFilter } from "./cloche.ts";
export { ClocheError, type Problem } from "./cloche-error.ts";
export type { ConnectionOptions } from "./connection.ts";
export type { EndedRollout } from "./evidence.ts";
export type { Group, Play } from "./group.ts";
export type { RetryOptions } from "./retry.ts";
export type { Rollout } from "./rollout.ts";
export type { Waiting } from "./service-api.ts";
export {
  type AnthropicTool,
  type BudgetUsed,
  type ContentBlock,
  type McpTool,
  type OpenAiTool,
  type ProtocolError,
  type ToolCall,
  type ToolFormats,
  type ToolResult,
  textOf,
} from "./tool-call.ts";
export type {
  Budget,
  Criterion,
  Ending,
  FaultRecord,
  Grade,
  GroupRequest,
  GroupView,
  Limits,
  Outcome,
  Phase,
  PlayedGroup,
  PlayedMember,
  Regrade,
  Reward,
  RewardKind,
  RolloutEvent,
  RolloutRecord,
  RolloutRequest,
  RolloutView,
  Signature,
  Split,
  Step,
  TaskView,
} from "./wire.ts";
