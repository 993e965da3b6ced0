import { createServer, type Socket } from "node:net";
import { Channels } from "./channels.ts";

/**
 * Runs in the sandbox as a user of its own: `node egress-forwarder.mjs <port>`. It listens on
 * loopback and carries what comes over its standard streams, to whoever holds them. It knows
 * neither HTTP nor names: what is let through is decided at the other end.
 */
const port = Number(process.argv[2]);
const channels = new Channels(process.stdout, { max: Number(process.argv[3]) });

const server = createServer({ allowHalfOpen: true }, (socket) => void carry(socket));

server.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
server.listen({ host: "127.0.0.1", port }, () => process.stderr.write("listening\n"));

process.stdin.on("data", (chunk: Buffer) => {
  try {
    channels.push(chunk);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
});
process.stdin.on("end", () => process.exit(0));

async function carry(socket: Socket): Promise<void> {
  let hasFailed = false;
  socket.on("error", () => {
    hasFailed = true;
  });
  const channel = await channels.connect();
  if (channel === undefined || socket.destroyed) {
    channel?.destroy();
    socket.destroy();
    return;
  }
  socket.pipe(channel);
  channel.pipe(socket);
  // What came to its end on both sides may still have bytes on their way: it closes by itself.
  socket.on("close", () => {
    if (hasFailed || !isOver(socket)) channel.destroy();
  });
  channel.on("close", () => {
    if (!channel.isWhole) socket.destroy();
  });
}

function isOver({ readableEnded, writableFinished }: Socket): boolean {
  return readableEnded && writableFinished;
}
