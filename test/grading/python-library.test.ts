import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { namedId } from "../../runtime/base/id.ts";
import { pythonCommand } from "../../runtime/grading/python-module.ts";
import { seedWorkspace } from "../../runtime/workspace/seed.ts";
import { smallFiles } from "../../runtime/workspace/small-files.ts";
import { folderFiles } from "../../images/context.ts";
import { MIB, smallSpec } from "../support/engine.ts";
import { openTestRuntime, type TestRuntime } from "../support/runtime.ts";

