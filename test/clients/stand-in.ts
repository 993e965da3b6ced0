import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the client sent. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Answers one request; null cuts the connection. */
export type Reply = null | {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent after the body; the connection is cut then. */
  readonly cutAfter?: string;
};

export interface StandIn extends AsyncDisposable {
  readonly url: string;
  readonly seen: readonly Seen[];
}

/**
 * Says what a healthy service never says: cut connections, overload, nonsense. The last reply is
 * given again to whatever comes after it.
 */
export async function standIn(
  replies: readonly Reply[] | ((seen: Seen, index: number) => Reply),
): Promise<StandIn> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = "", url = "", headers } = request;
    const one = { method, path: url, headers, body: Buffer.concat(chunks).toString("utf8") };
    const index = seen.push(one) - 1;
    const reply = typeof replies === "function" ? replies(one, index) : replies[index];
    give(reply === undefined ? (replies as readonly Reply[]).at(-1) : reply, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function give(reply: Reply | undefined, response: ServerResponse): void {
  if (reply === null || reply === undefined) {
    response.destroy();
    return;
  }
  const { status = 200, headers = {}, body, cutAfter } = reply;
  response.writeHead(status, { "content-type": "application/json", ...headers });
  const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
  if (cutAfter === undefined) response.end(text);
  else response.write(cutAfter, () => response.destroy());
}

/** The document of a rollout, as the service would give it. */
export function viewDocument(changes: Readonly<Record<string, unknown>> = {}) {
  return {
    id: "r1",
    group: null,
    attempt: 1,
    phase: "serving",
    outcome: null,
    task: "test/note",
    variant: 1,
    instruction: "Do it.",
    labels: {},
    mcp: { url: "http://127.0.0.1:1/rollouts/r1/mcp", token: "t" },
    deadline: null,
    leaseUntil: null,
    record: null,
    ...changes,
  };
}

/** The document of a rollout that has ended. */
export function endedDocument(outcome = "graded", changes: Readonly<Record<string, unknown>> = {}) {
  const reward = outcome === "graded" ? { sparse: 1, dense: 1 } : null;
  const record = { id: "r1", phase: "stored", outcome, reward, fault: null, ...changes };
  return viewDocument({ phase: "stored", outcome, mcp: null, record, ...changes });
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: { type: "about:blank", status, code, detail: `said ${code}` } };
}
