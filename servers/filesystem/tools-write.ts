import { createTwoFilesPatch } from "diff";
import * as z from "zod";
import { type Tool, tool } from "../kit/tool.ts";
import { CONTENT, content, PATH } from "./answers.ts";
import { edited } from "./edit-text.ts";
import { encodingOf, wellFormed } from "./encoding.ts";
import type { Files } from "./files.ts";

export function writeTools(files: Files): Tool[] {
  return [writeTool(files), editTool(files), folderTool(files), moveTool(files)];
}

function writeTool(files: Files): Tool {
  return tool({
    name: "write_file",
    title: "Write File",
    description:
      "Create a new file or completely overwrite an existing file with new content. " +
      "Use with caution as it will overwrite existing files without warning. " +
      "Handles text content with proper encoding. Only works within allowed directories.",
    input: z.object({ path: PATH, content: z.string() }),
    output: CONTENT,
    hints: { readOnly: false, idempotent: true, destructive: true },
    run: async ({ path, content: text }) => {
      const bytes = Buffer.from(wellFormed(text), "utf8");
      const { path: real } = await files.places.find(path);
      await files.exclusively([real], async () => {
        await files.write(await files.places.find(path), bytes);
      });
      return content(`Successfully wrote to ${path}`);
    },
  });
}

const EDIT = z.object({
  oldText: z.string().describe("Text to search for - must match exactly"),
  newText: z.string().describe("Text to replace with"),
});

function editTool(files: Files): Tool {
  return tool({
    name: "edit_file",
    title: "Edit File",
    description:
      "Make line-based edits to a text file. Each edit replaces exact line sequences " +
      "with new content. Returns a git-style diff showing the changes made. " +
      "Only works within allowed directories.",
    input: z.object({
      path: PATH,
      edits: z.array(EDIT),
      dryRun: z.boolean().default(false).describe("Preview changes using git-style diff format"),
    }),
    output: CONTENT,
    hints: { readOnly: false, destructive: true },
    run: async ({ path, edits, dryRun }) => {
      const { path: real } = await files.places.find(path);
      return await files.exclusively([real], async () => {
        const { place, bytes } = await files.read(await files.places.find(path));
        const encoding = encodingOf(bytes);
        const encoded = edits.map(({ oldText, newText }) => ({
          oldText: encoding.encode(unmarked(oldText)),
          newText: encoding.encode(unmarked(newText)),
        }));
        const after = encoding.bytes(edited(encoding.units(bytes), encoded, edits));
        const said = content(
          fenced(diffOf(place.path, encoding.shown(bytes), encoding.shown(after))),
        );
        if (!dryRun && !after.equals(bytes)) await files.write(place, after);
        return said;
      });
    },
  });
}

/** The mark at a file's beginning is no part of its text, and stays. */
function unmarked(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

const DIFFERENT_LINES = 5_000;

function diffOf(path: string, before: string, after: string): string {
  const [plainBefore, plainAfter] = [plain(before), plain(after)];
  // Where nothing but the ends of lines changed, they are shown.
  const isPlain = plainBefore !== plainAfter || before === after;
  const texts = isPlain ? ([plainBefore, plainAfter] as const) : ([before, after] as const);
  const options = { maxEditLength: DIFFERENT_LINES, stripTrailingCr: false };
  const diff = createTwoFilesPatch(path, path, ...texts, "original", "modified", options);
  return diff ?? `(more than ${DIFFERENT_LINES} lines differ; the diff is left out)\n`;
}

function plain(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

function fenced(diff: string): string {
  const longest = Math.max(2, ...(diff.match(/`{3,}/g) ?? []).map((fence) => fence.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}diff\n${diff}${fence}\n\n`;
}

function folderTool(files: Files): Tool {
  return tool({
    name: "create_directory",
    title: "Create Directory",
    description:
      "Create a new directory or ensure a directory exists. Can create multiple " +
      "nested directories in one operation. If the directory already exists, " +
      "this operation will succeed silently. Perfect for setting up directory " +
      "structures for projects or ensuring required paths exist. Only works within allowed directories.",
    input: z.object({ path: PATH }),
    output: CONTENT,
    hints: { readOnly: false, idempotent: true },
    run: async ({ path }) => {
      const { path: real } = await files.places.find(path);
      await files.makeFolder(real);
      return content(`Successfully created directory ${path}`);
    },
  });
}

function moveTool(files: Files): Tool {
  return tool({
    name: "move_file",
    title: "Move File",
    description:
      "Move or rename files and directories. Can move files between directories " +
      "and rename them in a single operation. If the destination exists, the " +
      "operation will fail. Works across different directories and can be used " +
      "for simple renaming within the same directory. Both source and destination must be within allowed directories.",
    input: z.object({ source: z.string(), destination: z.string() }),
    output: CONTENT,
    hints: { readOnly: false, destructive: true },
    run: async ({ source, destination }) => {
      const { places } = files;
      const both = async () =>
        [await places.findItself(source), await places.findItself(destination)] as const;
      const paths = (await both()).map(({ path }) => path);
      await files.exclusively(paths, async () => await files.move(...(await both())));
      return content(`Successfully moved ${source} to ${destination}`);
    },
  });
}
