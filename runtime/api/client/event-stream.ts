/** One message of a server-sent stream. */
export interface ServerSent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/**
 * Reads a `text/event-stream` as the standard says: lines end in CR, LF or both, comments are
 * skipped, a message without data is none, and one cut off at the end is dropped.
 */
export async function* serverSent(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSent> {
  let id = "";
  let event = "";
  let data: string[] = [];
  for await (const line of linesOf(body)) {
    if (line === "") {
      if (data.length > 0) yield { id, event: event || "message", data: data.join("\n") };
      event = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id" && !value.includes("\0")) id = value;
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let kept = "";
  for await (const chunk of chunksOf(body)) {
    kept += decoder.decode(chunk, { stream: true });
    // A CR at the very end may be the first half of a CRLF: it waits for the next chunk.
    const lines = kept.split(/\r\n|\n|\r(?!$)/);
    kept = lines.pop() ?? "";
    yield* lines;
  }
}

/** A reader and not `for await`, which not every platform's streams have. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
