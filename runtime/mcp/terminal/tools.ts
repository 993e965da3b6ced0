import type { CallToolResult, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import {
  type Answer,
  commandAnswer,
  jobAnswer,
  listAnswer,
  resizedAnswer,
  startedAnswer,
  stoppedAnswer,
  withNews,
} from "./answers.ts";
import type { Terminal } from "./terminal.ts";

const MAX_TIMEOUT_MS = 600_000;
const COMMAND_CHARACTERS = 1_000_000;

const sessionName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,40}$/, "1 to 40 letters, digits, '_', '.' or '-'");
const session = sessionName.default("main").describe("Name of the session. Default: main.");
const job = z.string().max(40).describe('Id of the job, such as "job-1".');
const withoutNul = (what: z.ZodString) =>
  what.refine((text) => !text.includes("\0"), "must not hold a NUL character");

const truncated = z
  .object({ droppedBytes: z.number().int() })
  .nullable()
  .describe("If output was too long: how many bytes were left out of its middle or beginning.");
const exitCode = z.number().int().nullable().describe("Null if it was killed, or still runs.");
const sizeShape = { columns: z.number().int(), lines: z.number().int() };
const jobShape = {
  job: z.string(),
  session: z.string(),
  command: z.string(),
  state: z.enum(["running", "exited"]),
  exitCode,
};

/** Puts the tools of the terminal on the server, in the order in which a model should see them. */
export function registerTools(server: McpServer, terminal: Terminal): void {
  registerRunCommand(server, terminal);
  registerJobTools(server, terminal);
  registerSessionTools(server, terminal);
  registerResize(server, terminal);
}

function registerRunCommand(server: McpServer, terminal: Terminal): void {
  server.registerTool(
    "run_command",
    {
      title: "Run a command",
      description:
        "Runs a bash command and returns what it wrote (stdout and stderr together), its exit " +
        "code and the working directory. The shell persists: directory, variables, functions " +
        "and options stay for the next command in the same session. Commands of one session " +
        "run one after the other, sessions run in parallel. There is no terminal and standard " +
        "input is empty. Of long output the first and last 16 KiB are shown.",
      inputSchema: z.object({
        command: withoutNul(z.string().min(1).max(COMMAND_CHARACTERS)).describe(
          "What bash shall run; may have several lines.",
        ),
        session,
        timeout_ms: z
          .number()
          .int()
          .min(100)
          .max(MAX_TIMEOUT_MS)
          .default(60_000)
          .describe("After this the command is killed. Milliseconds; default 60000, max 600000."),
        background: z
          .boolean()
          .default(false)
          .describe(
            "Start it as a job with the session's directory and exported variables and return " +
              "at once; read_output shows its output. It has no timeout.",
          ),
      }),
      outputSchema: z.object({
        session: z.string(),
        exitCode,
        cwd: z.string().describe("Working directory afterwards."),
        output: z.string(),
        lateOutput: z
          .string()
          .optional()
          .describe("What background processes of the session wrote since its last command."),
        truncated,
        timedOut: z.boolean(),
        interrupted: z.boolean(),
        shellEnded: z.boolean().describe("The shell is gone; the next command gets a fresh one."),
        job: z.string().optional().describe("Id of the job, if started in the background."),
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
    },
    async ({ command, session: name, timeout_ms, background }, { mcpReq: { signal } }) => {
      if (background) {
        const started = await terminal.start(name, command, signal);
        const answer = startedAnswer(started, terminal.session(name).cwd);
        return reply(withNews(terminal.news(name), answer));
      }
      const result = await terminal.run(name, command, timeout_ms, signal);
      return reply(withNews(terminal.news(name), commandAnswer(name, command, timeout_ms, result)));
    },
  );
}

function registerJobTools(server: McpServer, terminal: Terminal): void {
  server.registerTool(
    "read_output",
    {
      title: "Read a job's output",
      description:
        "Returns what a background job wrote since the last read, and whether it still runs. " +
        "Of much unread output the last 32 KiB are there.",
      inputSchema: z.object({
        job,
        wait_ms: z
          .number()
          .int()
          .min(0)
          .max(MAX_TIMEOUT_MS)
          .default(0)
          .describe("Wait up to this long for new output or the end of the job. Default 0."),
        since: z
          .number()
          .int()
          .min(0)
          .optional()
          .describe("Read from this byte of the output on (0: from the beginning) instead."),
      }),
      outputSchema: z.object({
        ...jobShape,
        output: z.string(),
        next: z.number().int().describe("Bytes written so far."),
        truncated,
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ job: id, wait_ms, since }, { mcpReq: { signal } }) => {
      const output = await terminal.read(id, wait_ms, since, signal);
      return reply(jobAnswer(terminal.job(id), output));
    },
  );
  server.registerTool(
    "send_input",
    {
      title: "Write to a job's standard input",
      description:
        "Writes text to the standard input of a running background job. End a line with \\n.",
      inputSchema: z.object({
        job,
        text: z.string().max(COMMAND_CHARACTERS),
        end: z.boolean().default(false).describe("Close the job's standard input afterwards."),
      }),
      outputSchema: z.object(jobShape),
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
    },
    ({ job: id, text, end }) => sendInput(terminal, id, text, end),
  );
  server.registerTool(
    "stop_job",
    {
      title: "Stop a job",
      description: "Ends a background job and all its processes: SIGTERM, then SIGKILL.",
      inputSchema: z.object({ job }),
      outputSchema: z.object(jobShape),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
    },
    async ({ job: id }) => {
      const stopped = terminal.job(id);
      const wasRunning = stopped.status.state === "running";
      await stopped.stop();
      return reply(stoppedAnswer(stopped, wasRunning));
    },
  );
}

function registerSessionTools(server: McpServer, terminal: Terminal): void {
  server.registerTool(
    "interrupt",
    {
      title: "Interrupt a command",
      description:
        "Like Ctrl-C: sends SIGINT to the command that runs in a session and skips the rest of " +
        "it. The pending run_command returns with what was written so far.",
      inputSchema: z.object({ session }),
      outputSchema: z.object({ session: z.string(), interrupted: z.boolean() }),
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
    },
    async ({ session: name }) => {
      const interrupted = await terminal.interrupt(name);
      const text = interrupted ? "Sent SIGINT." : `Nothing is running in session "${name}".`;
      return reply({ text, structured: { session: name, interrupted } });
    },
  );
  server.registerTool(
    "list_sessions",
    {
      title: "List sessions and jobs",
      description:
        "Lists the open sessions (directory, size, busy or idle) and the background jobs.",
      inputSchema: z.object({}),
      outputSchema: z.object({
        sessions: z.array(
          z.object({ session: z.string(), cwd: z.string(), busy: z.boolean(), ...sizeShape }),
        ),
        jobs: z.array(z.object(jobShape)),
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    () => reply(listAnswer(terminal.sessions, terminal.jobs)),
  );
  server.registerTool(
    "close_session",
    {
      title: "Close a session",
      description:
        "Ends a session's shell and what runs in it. Its background jobs go on. A later " +
        "run_command in a session of that name starts afresh.",
      inputSchema: z.object({ session: sessionName.describe("Name of the session.") }),
      outputSchema: z.object({ session: z.string(), closed: z.boolean() }),
      annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
    },
    async ({ session: name }) => {
      await terminal.close(name);
      const structured = { session: name, closed: true };
      return reply({ text: `Session "${name}" is closed.`, structured });
    },
  );
}

function registerResize(server: McpServer, terminal: Terminal): void {
  server.registerTool(
    "resize_session",
    {
      title: "Resize a session",
      description:
        "Sets how wide and high a session is: COLUMNS and LINES, exported to what its next " +
        "commands and jobs start. A session begins with 80 by 24, not exported, so that ps and " +
        "the like do not cut their lines.",
      inputSchema: z.object({
        session,
        columns: z.number().int().min(20).max(1000).describe("Characters in a line: 20 to 1000."),
        lines: z.number().int().min(5).max(1000).describe("Lines: 5 to 1000."),
      }),
      outputSchema: z.object({ session: z.string(), ...sizeShape }),
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    },
    ({ session: name, columns, lines }) =>
      reply(resizedAnswer(terminal.resize(name, { columns, lines }))),
  );
}

function sendInput(terminal: Terminal, id: string, text: string, end: boolean): CallToolResult {
  const target = terminal.job(id);
  const outcome = target.write(text, end);
  if (outcome === "closed") {
    throw new Error(`${id} takes no input: it has ended or its standard input was closed.`);
  }
  if (outcome === "unread") {
    throw new Error(`${id} has not read the earlier input (1 MiB waits); send less, or later.`);
  }
  const { session: name, command, status } = target;
  const structured = { job: id, session: name, command, state: status.state, exitCode: null };
  return reply({ text: end ? "Sent; standard input is closed." : "Sent.", structured });
}

function reply({ text, structured }: Answer): CallToolResult {
  return { content: [{ type: "text", text }], structuredContent: structured };
}
