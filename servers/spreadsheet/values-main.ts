// `node workbook-values.mjs`, a program of the grader's: for each line of JSON on standard input
// (`bytes`, and a ValuesRequest) and as many bytes after it, one line of JSON (a ValuesAnswer) on
// standard output. The first line says that it is ready.
import { bookValues, type ValuesRequest } from "./book-values.ts";

type Header = ValuesRequest & { readonly bytes: number };

let pending: Buffer[] = [];
let held = 0;
let header: Header | undefined;

process.stdout.write("{}\n");
for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
  pending.push(chunk);
  held += chunk.length;
  for (let bytes = next(); bytes !== undefined; bytes = next()) {
    const { bytes: _, ...request } = header as Header;
    header = undefined;
    const answer = await bookValues(bytes, request);
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

/** The next workbook, once it is there whole. */
function next(): Buffer | undefined {
  if (header === undefined) {
    const all = Buffer.concat(pending, held);
    const end = all.indexOf("\n");
    if (end < 0) return undefined;
    header = JSON.parse(all.toString("utf8", 0, end)) as Header;
    pending = [all.subarray(end + 1)];
    held -= end + 1;
  }
  if (held < header.bytes) return undefined;
  const all = Buffer.concat(pending, held);
  const bytes = all.subarray(0, header.bytes);
  pending = [all.subarray(header.bytes)];
  held -= header.bytes;
  return bytes;
}
