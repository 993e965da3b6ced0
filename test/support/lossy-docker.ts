import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { locateDocker } from "../../runtime/engine/docker/locate.ts";
import { tempFolder } from "./temp-folder.ts";

export interface LossyDocker extends AsyncDisposable {
  readonly address: string;
  /** How many archives are still to be cut in the middle, with every sign of success. */
  cuts: number;
  /** Archives that were asked for. */
  readonly asked: number;
}

/** A Docker socket in front of the real one that does what it does, but for the archives it cuts. */
export async function openLossyDocker(): Promise<LossyDocker> {
  const { socketPath = "/var/run/docker.sock" } = await locateDocker(undefined, process.env);
  const folder = await tempFolder();
  const own = join(folder.path, "docker.sock");
  const state = { cuts: 0, asked: 0 };
  /** Of programs' streams: under gVisor Docker may not close them when their box is gone. */
  const upgraded: Socket[] = [];
  const server = createServer((from, to) => {
    const isArchive = from.method === "GET" && /\/archive\b/.test(from.url ?? "");
    if (isArchive) state.asked += 1;
    const isCut = isArchive && state.cuts > 0;
    if (isCut) state.cuts -= 1;
    forward(from, to, socketPath, isCut);
  });
  server.on("upgrade", (from: IncomingMessage, client: Socket, head: Buffer) => {
    const docker = connect(socketPath);
    upgraded.push(client, docker);
    const headers = from.rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`));
    docker.write(`${from.method} ${from.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
    docker.write(head);
    client.pipe(docker).pipe(client);
    docker.on("error", () => client.destroy());
    client.on("error", () => docker.destroy());
  });
  await once(server.listen(own), "listening");
  return Object.assign(state, {
    address: `unix://${own}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      server.close();
      await folder[Symbol.asyncDispose]();
    },
  });
}

function forward(
  from: IncomingMessage,
  to: ServerResponse,
  socketPath: string,
  cut: boolean,
): void {
  const { method, url, headers } = from;
  const asked = request({ socketPath, method, path: url, headers }, (answer) => {
    to.writeHead(answer.statusCode ?? 500, answer.headers);
    if (!cut) {
      answer.pipe(to);
      return;
    }
    answer.once("data", (chunk: Buffer) => {
      to.end(chunk.subarray(0, 1024));
      answer.destroy();
    });
  });
  asked.on("error", () => to.destroy());
  to.on("error", () => asked.destroy());
  from.pipe(asked);
}
