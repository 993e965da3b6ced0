import type { Dirent } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { Minimatch } from "minimatch";
import * as z from "zod";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import { CONTENT, content, formatSize, PATH } from "./answers.ts";
import type { Files } from "./files.ts";
import { inside } from "./places.ts";

const READS = { readOnly: true } as const;
const PATTERNS = z.array(z.string()).optional().default([]);
const PATTERN_LETTERS = 1_000;

export function listTools(files: Files): Tool[] {
  return [
    listTool(files),
    sizesTool(files),
    treeTool(files),
    searchTool(files),
    infoTool(files),
    allowedTool(files),
  ];
}

function listTool(files: Files): Tool {
  return tool({
    name: "list_directory",
    title: "List Directory",
    description:
      "Get a detailed listing of all files and directories in a specified path. " +
      "Results clearly distinguish between files and directories with [FILE] and [DIR] " +
      "prefixes. This tool is essential for understanding directory structure and " +
      "finding specific files within a directory. Only works within allowed directories.",
    input: z.object({ path: PATH }),
    output: CONTENT,
    hints: READS,
    run: async ({ path }) => {
      const { path: real } = await files.places.find(path);
      const entries = await files.places.list(real);
      return content(entries.map((entry) => `${kindOf(entry)} ${entry.name}`).join("\n"));
    },
  });
}

function sizesTool(files: Files): Tool {
  return tool({
    name: "list_directory_with_sizes",
    title: "List Directory with Sizes",
    description:
      "Get a detailed listing of all files and directories in a specified path, including sizes. " +
      "Results clearly distinguish between files and directories with [FILE] and [DIR] " +
      "prefixes. This tool is useful for understanding directory structure and " +
      "finding specific files within a directory. Only works within allowed directories.",
    input: z.object({
      path: PATH,
      sortBy: z
        .enum(["name", "size"])
        .optional()
        .default("name")
        .describe("Sort entries by name or size"),
    }),
    output: CONTENT,
    hints: READS,
    run: async ({ path, sortBy }) => {
      const { path: real } = await files.places.find(path);
      await using folder = await files.places.openFolder(real);
      const entries = [];
      for (const entry of await files.places.list(real)) {
        // Of a link its own size: what it leads to may lie outside.
        const found = await lstat(inside(folder, entry.name)).catch(() => undefined);
        entries.push({ entry, size: found?.size ?? 0 });
      }
      if (sortBy === "size") entries.sort((a, b) => b.size - a.size);
      else entries.sort((a, b) => a.entry.name.localeCompare(b.entry.name));
      const lines = entries.map(({ entry, size }) => {
        const shown = entry.isDirectory() ? "" : formatSize(size).padStart(10);
        return `${kindOf(entry)} ${entry.name.padEnd(30)} ${shown}`;
      });
      const plain = entries.filter(({ entry }) => !entry.isDirectory());
      const total = plain.reduce((sum, { size }) => sum + size, 0);
      const summary = [
        "",
        `Total: ${plain.length} files, ${entries.length - plain.length} directories`,
        `Combined size: ${formatSize(total)}`,
      ];
      return content([...lines, ...summary].join("\n"));
    },
  });
}

interface TreeEntry {
  readonly name: string;
  readonly type: "directory" | "file";
  readonly children?: readonly TreeEntry[];
}

function treeTool(files: Files): Tool {
  return tool({
    name: "directory_tree",
    title: "Directory Tree",
    description:
      "Get a recursive tree view of files and directories as a JSON structure. " +
      "Each entry includes 'name', 'type' (file/directory), and 'children' for directories. " +
      "Files have no children array, while directories always have a children array (which may be empty). " +
      "The output is formatted with 2-space indentation for readability. Only works within allowed directories.",
    input: z.object({ path: PATH, excludePatterns: PATTERNS }),
    output: CONTENT,
    hints: READS,
    run: async ({ path, excludePatterns }) => {
      const excluded = excludePatterns.flatMap((pattern) =>
        pattern.includes("*")
          ? [glob(pattern)]
          : [glob(pattern), glob(`**/${pattern}`), glob(`**/${pattern}/**`)],
      );
      const { path: real } = await files.places.find(path);
      const below = async (folder: string, relative: string): Promise<TreeEntry[]> => {
        const made: TreeEntry[] = [];
        for (const entry of await files.places.list(folder)) {
          const { name } = entry;
          const own = relative === "" ? name : `${relative}/${name}`;
          if (excluded.some((one) => one.match(own))) continue;
          if (!entry.isDirectory()) made.push({ name, type: "file" });
          else {
            made.push({ name, type: "directory", children: await below(join(folder, name), own) });
          }
        }
        return made;
      };
      return content(JSON.stringify(await below(real, ""), null, 2));
    },
  });
}

function searchTool(files: Files): Tool {
  return tool({
    name: "search_files",
    title: "Search Files",
    description:
      "Recursively search for files and directories matching a pattern. " +
      "The patterns should be glob-style patterns that match paths relative to the working directory. " +
      "Use pattern like '*.ext' to match files in current directory, and '**/*.ext' to match files in all subdirectories. " +
      "Returns full paths to all matching items. Great for finding files when you don't know their exact location. " +
      "Only searches within allowed directories.",
    input: z.object({ path: PATH, pattern: z.string(), excludePatterns: PATTERNS }),
    output: CONTENT,
    hints: READS,
    run: async ({ path, pattern, excludePatterns }) => {
      const [wanted, excluded] = [glob(pattern), excludePatterns.map(glob)];
      const { path: real } = await files.places.find(path);
      const found: string[] = [];
      const search = async (folder: string, relative: string): Promise<void> => {
        for (const entry of await files.places.list(folder)) {
          const [full, own] = [join(folder, entry.name), join(relative, entry.name)];
          if (excluded.some((one) => one.match(own))) continue;
          if (entry.isSymbolicLink() && !(await leadsInside(files, full))) continue;
          if (wanted.match(own)) found.push(full);
          // A folder that is closed, or gone by now, has nothing to be found.
          if (entry.isDirectory()) await search(full, own).catch(unlessRefused);
        }
      };
      await search(real, "");
      return content(found.length > 0 ? found.join("\n") : "No matches found");
    },
  });
}

function unlessRefused(error: unknown): void {
  if (!(error instanceof ToolError)) throw error;
}

async function leadsInside(files: Files, path: string): Promise<boolean> {
  return await files.places.find(path).then(
    ({ exists }) => exists,
    () => false,
  );
}

function infoTool(files: Files): Tool {
  return tool({
    name: "get_file_info",
    title: "Get File Info",
    description:
      "Retrieve detailed metadata about a file or directory. Returns comprehensive " +
      "information including size, creation time, last modified time, permissions, " +
      "and type. This tool is perfect for understanding file characteristics " +
      "without reading the actual content. Only works within allowed directories.",
    input: z.object({ path: PATH }),
    output: CONTENT,
    hints: READS,
    run: async ({ path }) => {
      const { path: real } = await files.places.find(path);
      const stats = await files.stats(real);
      const info = {
        size: stats.size,
        created: stats.birthtime,
        modified: stats.mtime,
        accessed: stats.atime,
        isDirectory: stats.isDirectory(),
        isFile: stats.isFile(),
        permissions: stats.mode.toString(8).slice(-3),
      };
      const lines = Object.entries(info).map(([key, value]) => `${key}: ${value}`);
      return content(lines.join("\n"));
    },
  });
}

function allowedTool(files: Files): Tool {
  return tool({
    name: "list_allowed_directories",
    title: "List Allowed Directories",
    description:
      "Returns the list of directories that this server is allowed to access. " +
      "Subdirectories within these allowed directories are also accessible. " +
      "Use this to understand which directories and their nested paths are available " +
      "before trying to access files.",
    input: z.object({}),
    output: CONTENT,
    hints: READS,
    run: async () => content(`Allowed directories:\n${files.places.root}`),
  });
}

function kindOf(entry: Dirent): string {
  return entry.isDirectory() ? "[DIR]" : "[FILE]";
}

function glob(pattern: string): Minimatch {
  if (pattern.length > PATTERN_LETTERS) {
    throw new ToolError(
      `A pattern has at most ${PATTERN_LETTERS} letters; this has ${pattern.length}.`,
    );
  }
  return new Minimatch(pattern, { dot: true });
}
