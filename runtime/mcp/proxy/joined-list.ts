import { isObject, type JsonRpcRequest } from "../json-rpc.ts";
import type { GreetedServer } from "./surface.ts";

const MAX_PAGES = 100;

/**
 * Reads the lists of several servers, all their pages, and hands over the items in the order of the
 * servers. A server that is gone or answers with an error adds nothing.
 */
export function readLists(
  servers: readonly GreetedServer[],
  message: JsonRpcRequest,
  take: (server: GreetedServer, result: Readonly<Record<string, unknown>>) => readonly unknown[],
  done: (items: readonly unknown[]) => void,
): void {
  const lists: unknown[][] = servers.map(() => []);
  let left = servers.length;
  const finish = () => {
    left -= 1;
    if (left <= 0) done(lists.flat());
  };
  if (left === 0) finish();
  for (const [index, server] of servers.entries()) {
    const ask = (params: Readonly<Record<string, unknown>>, page: number) => {
      const asked = { jsonrpc: "2.0", method: message.method, params } as const;
      server.upstream.request(asked, {
        lost: finish,
        answered: ({ result }) => {
          if (!isObject(result)) return finish();
          lists[index]?.push(...take(server, result));
          const cursor = result["nextCursor"];
          if (typeof cursor === "string" && page < MAX_PAGES) ask({ cursor }, page + 1);
          else finish();
        },
      });
    };
    ask({}, 1);
  }
}
