import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import { CONTENT, content, PATH } from "./answers.ts";
import { encodingOf } from "./encoding.ts";
import type { Files } from "./files.ts";
import { linesOf } from "./line-match.ts";

const READS = { readOnly: true } as const;
const MEDIA_BYTES = 3 * 2 ** 20;

const MIME_TYPES: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".bmp": "image/bmp",
  ".svg": "image/svg+xml",
  ".mp3": "audio/mpeg",
  ".wav": "audio/wav",
  ".ogg": "audio/ogg",
  ".flac": "audio/flac",
};

export function readTools(files: Files): Tool[] {
  return [
    textTool(files, {
      name: "read_file",
      title: "Read File (Deprecated)",
      description:
        "Read the complete contents of a file as text. DEPRECATED: Use read_text_file instead.",
    }),
    textTool(files, {
      name: "read_text_file",
      title: "Read Text File",
      description:
        "Read the complete contents of a file from the file system as text. " +
        "Handles various text encodings and provides detailed error messages " +
        "if the file cannot be read. Use this tool when you need to examine " +
        "the contents of a single file. Use the 'head' parameter to read only " +
        "the first N lines of a file, or the 'tail' parameter to read only " +
        "the last N lines of a file. Operates on the file as text regardless of extension. " +
        "Only works within allowed directories.",
    }),
    mediaTool(files),
    severalTool(files),
  ];
}

function textTool(files: Files, facts: Pick<Tool, "name" | "title" | "description">): Tool {
  return tool({
    ...facts,
    input: z.object({
      path: PATH,
      tail: z
        .number()
        .optional()
        .describe("If provided, returns only the last N lines of the file"),
      head: z
        .number()
        .optional()
        .describe("If provided, returns only the first N lines of the file"),
    }),
    output: CONTENT,
    hints: READS,
    run: async ({ path, head, tail }) => {
      if (head && tail) {
        throw new ToolError("Cannot specify both head and tail parameters simultaneously");
      }
      for (const [name, count] of Object.entries({ head, tail })) {
        if (count === undefined || (Number.isSafeInteger(count) && count >= 0)) continue;
        throw new ToolError(`${name} is ${count}: give a whole number of lines, from 1`);
      }
      const text = await textOf(files, path);
      return content(part(text, head, tail));
    },
  });
}

async function textOf(files: Files, path: string): Promise<string> {
  const { bytes } = await files.read(await files.places.find(path));
  return encodingOf(bytes).shown(bytes);
}

/** Lines as they are, without the end of the last one. */
function part(text: string, head: number | undefined, tail: number | undefined): string {
  if (!head && !tail) return text;
  const lines = linesOf(text);
  if (lines.at(-1)?.text === "") lines.pop();
  const kept = head ? lines.slice(0, head) : lines.slice(-(tail ?? 0));
  return kept
    .map((line, at) => (at === kept.length - 1 ? line.text : line.text + line.end))
    .join("");
}

function mediaTool(files: Files): Tool {
  const media = z.object({
    type: z.enum(["image", "audio"]),
    data: z.string(),
    mimeType: z.string(),
  });
  const resource = z.object({
    uri: z.string(),
    mimeType: z.string().optional(),
    blob: z.string(),
  });
  const other = z.object({ type: z.literal("resource"), resource });
  return tool({
    name: "read_media_file",
    title: "Read Media File",
    description:
      "Read a file and return it as a base64-encoded content block with its MIME type. " +
      "Image and audio files are returned as image/audio content; any other file type is " +
      "returned as an embedded resource. Only works within allowed directories.",
    input: z.object({ path: PATH }),
    output: z.object({ content: z.array(z.union([media, other])) }),
    hints: READS,
    run: async ({ path }) => {
      const { place, bytes } = await files.read(await files.places.find(path));
      if (bytes.length > MEDIA_BYTES) {
        throw new ToolError(
          `${place.path} has ${(bytes.length / 2 ** 20).toFixed(1)} MiB; this tool gives files up to ` +
            `${MEDIA_BYTES / 2 ** 20} MiB. Make a smaller one with a program in the terminal.`,
        );
      }
      const mimeType = MIME_TYPES[extname(place.path).toLowerCase()] ?? "application/octet-stream";
      const block = blockOf(mimeType, bytes.toString("base64"), place.path);
      return { text: "", blocks: [block], data: { content: [block] } };
    },
  });
}

function blockOf(mimeType: string, data: string, path: string) {
  if (mimeType.startsWith("image/")) return { type: "image" as const, data, mimeType };
  if (mimeType.startsWith("audio/")) return { type: "audio" as const, data, mimeType };
  const resource = { uri: pathToFileURL(path).href, mimeType, blob: data };
  return { type: "resource" as const, resource };
}

function severalTool(files: Files): Tool {
  return tool({
    name: "read_multiple_files",
    title: "Read Multiple Files",
    description:
      "Read the contents of multiple files simultaneously. This is more " +
      "efficient than reading files one by one when you need to analyze " +
      "or compare multiple files. Each file's content is returned with its " +
      "path as a reference. Failed reads for individual files won't stop " +
      "the entire operation. Only works within allowed directories.",
    input: z.object({
      paths: z
        .array(z.string())
        .min(1)
        .describe(
          "Array of file paths to read. Each path must be a string pointing to a valid file within allowed directories.",
        ),
    }),
    output: CONTENT,
    hints: READS,
    run: async ({ paths }) => {
      const results: string[] = [];
      // One after the other: so many files at once are neither open nor in memory.
      for (const path of paths) {
        const said = await textOf(files, path).then(
          (text) => `${path}:\n${text}\n`,
          (error: unknown) => {
            if (error instanceof ToolError) return `${path}: Error - ${error.message}`;
            throw error;
          },
        );
        results.push(said);
      }
      return content(results.join("\n---\n"));
    },
  });
}
