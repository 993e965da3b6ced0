import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import type { Box, BoxProcess } from "../../runtime/engine/engine.ts";
import type { StdioServerSpec } from "../../runtime/mcp/server-spec.ts";

interface Frame {
  readonly id?: unknown;
  readonly method?: string;
}

/**
 * A port of this machine that hands each posted message to a program in a box and its answer back,
 * with nothing of ours between but the id: for clients that know HTTP alone, to ask a server itself.
 */
export class StdioBridge implements AsyncDisposable {
  readonly #program: BoxProcess;
  readonly #waiting = new Map<number, (answer: Frame) => void>();
  readonly #server = createServer((request, response) => {
    void this.#answer(request, response);
  });
  #next = 0;

  static async open(box: Box, spec: StdioServerSpec): Promise<StdioBridge> {
    const { argv, env, user, cwd = "/", process, name } = spec;
    const all = [...argv, ...(process === undefined ? [] : [name])];
    const bridge = new StdioBridge(await box.open(all, { user, env, cwd }));
    await new Promise<void>((resolve) => {
      bridge.#server.listen({ host: "127.0.0.1", port: 0 }, resolve);
    });
    return bridge;
  }

  private constructor(program: BoxProcess) {
    this.#program = program;
    program.stderr.resume();
    createInterface({ input: program.stdout }).on("line", (line) => {
      const answer = JSON.parse(line) as Frame;
      if (answer.method !== undefined) return; // It says or asks something of itself.
      this.#waiting.get(Number(answer.id))?.(answer);
      this.#waiting.delete(Number(answer.id));
    });
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/mcp`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "POST") {
      response.writeHead(405).end();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Frame;
    if (asked.id === undefined) {
      this.#program.stdin.write(`${JSON.stringify(asked)}\n`);
      response.writeHead(202).end();
      return;
    }
    const id = ++this.#next;
    const answer = new Promise<Frame>((resolve) => this.#waiting.set(id, resolve));
    this.#program.stdin.write(`${JSON.stringify({ ...asked, id })}\n`);
    const body = JSON.stringify({ ...(await answer), id: asked.id });
    response.writeHead(200, { "content-type": "application/json" }).end(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#program[Symbol.asyncDispose]();
  }
}
