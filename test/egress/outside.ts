import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";

/**
 * What stands for the internet: a network of the engine's whose addresses are public ones as far as
 * anybody can tell (they are nobody's business here: nothing leaves this machine), and a server in it.
 */
export interface Outside extends AsyncDisposable {
  readonly network: string;
  /** Of the server, which the network knows as api.example.test. */
  readonly address: string;
  /** Of this machine in the network. */
  readonly gateway: string;
}

export function openOutside(image: string, subnet: "public" | "private" = "public"): Outside {
  const id = randomBytes(4).toString("hex");
  const [a, b] = [randomBytes(1)[0] ?? 0, randomBytes(1)[0] ?? 0];
  const prefix = subnet === "public" ? `11.${a}.${b}` : `10.${a}.${b}`;
  const network = `cloche-test-${id}`;
  const name = `${network}-server`;
  docker("network", "create", "--subnet", `${prefix}.0/24`, network);
  docker(
    ...["run", "-d", "--rm", "--name", name, "--network", network, "--ip", `${prefix}.9`],
    ...["--network-alias", "api.example.test", "--network-alias", "other.example.test"],
    ...["--entrypoint", "/usr/local/bin/node", image, "-e", SERVER],
  );
  return {
    network,
    address: `${prefix}.9`,
    gateway: `${prefix}.1`,
    [Symbol.asyncDispose]: async () => {
      docker("rm", "-f", name);
      docker("network", "rm", network);
    },
  };
}

/**
 * 80: HTTP. 9000: says back what comes, and holds its own side open. 9001: takes bytes and says how
 * many there were. 9002: says as many as it was asked for. 9003: says nothing, for ever.
 */
const SERVER = `
const http = require("http"), net = require("net");
http.createServer(async (q, r) => {
  const body = Buffer.concat(await q.toArray());
  if (q.url === "/away") r.writeHead(302, { location: "http://169.254.169.254/latest/" });
  r.end("hello from " + q.headers.host + q.url + " " + body);
}).listen(80);
const open = { allowHalfOpen: true };
const serve = (port, on) => net.createServer(open, (s) => { s.on("error", () => {}); on(s); }).listen(port);
serve(9000, (s) => s.on("data", (d) => s.write(d)));
serve(9001, (s) => { let n = 0; s.on("data", (d) => { n += d.length; }); s.on("end", () => s.end("took " + n)); });
serve(9002, (s) => s.once("data", (d) => {
  let left = Number(d.toString());
  const more = () => {
    for (;;) {
      if (left <= 0) return s.end();
      const n = Math.min(left, 65536); left -= n;
      if (!s.write(Buffer.alloc(n, 120))) return s.once("drain", more);
    }
  };
  more();
}));
serve(9003, () => {});
`;

/** Names and addresses that the outlet of a sandbox shall know, as its engine writes them. */
export function addNames(sandboxId: string, names: Readonly<Record<string, string>>): void {
  const path = docker("inspect", "-f", "{{.HostsPath}}", `cloche-${sandboxId}-outlet`);
  appendFileSync(
    path,
    Object.entries(names)
      .map(([name, to]) => `${to} ${name}\n`)
      .join(""),
  );
}

export function docker(...argv: string[]): string {
  return execFileSync("docker", argv, { encoding: "utf8", stdio: "pipe" }).trim();
}
