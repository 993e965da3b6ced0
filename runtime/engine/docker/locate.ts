import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { engineFault } from "../faults.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface DockerAddress {
  /** As a person would write it in DOCKER_HOST; holds no credential. */
  readonly url: string;
  /** Why this one: "DOCKER_HOST", "the Docker context \"colima\"", "a usual place". */
  readonly source: string;
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
  readonly tls?: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
}

/**
 * Finds where Docker listens: `address` if given, else DOCKER_HOST, else the current Docker
 * context, else the first of the usual sockets that takes a connection (or, if none does, the
 * first of them, so that the message names a place). Rejects with `engine/unreachable` for an
 * address that makes no sense or that we cannot speak (ssh).
 */
export async function locateDocker(address: string | undefined, env: Env): Promise<DockerAddress> {
  if (address) return await parseAddress(address, "the given address", certsOfEnv(env));
  const fromEnv = env["DOCKER_HOST"];
  if (fromEnv) return await parseAddress(fromEnv, "DOCKER_HOST", certsOfEnv(env));
  return (await contextAddress(env)) ?? (await usualSocket(env));
}

function certsOfEnv(env: Env): string | undefined {
  const wanted = env["DOCKER_TLS_VERIFY"] ? true : env["DOCKER_TLS"] !== undefined;
  return wanted ? (env["DOCKER_CERT_PATH"] ?? configFolder(env)) : undefined;
}

async function parseAddress(
  text: string,
  source: string,
  certs: string | undefined,
): Promise<DockerAddress> {
  if (text.startsWith("/")) return { url: `unix://${text}`, source, socketPath: text };
  if (text.startsWith("unix://")) {
    return { url: text, source, socketPath: text.slice("unix://".length) };
  }
  const url = URL.parse(text.includes("://") ? text : `tcp://${text}`);
  const fitting = url !== null && ["tcp:", "http:", "https:"].includes(url.protocol);
  if (url === null || !fitting || url.hostname === "") {
    throw engineFault(
      "unreachable",
      `${source} says "${withoutPassword(text)}", which is no address to reach Docker at; ` +
        "use unix:///path/to/docker.sock or tcp://host:port (ssh is not supported)",
    );
  }
  const secure = certs !== undefined || url.protocol === "https:";
  const port = Number(url.port || (secure ? 2376 : 2375));
  const base = { url: `tcp://${url.hostname}:${port}`, source, host: url.hostname, port };
  return secure && certs !== undefined ? { ...base, tls: await readCerts(certs, source) } : base;
}

function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@]*@/, "//");
}

async function readCerts(folder: string, source: string) {
  try {
    const names = ["ca.pem", "cert.pem", "key.pem"] as const;
    const [ca, cert, key] = await Promise.all(names.map((name) => readFile(join(folder, name))));
    return { ca, cert, key } as { ca: Buffer; cert: Buffer; key: Buffer };
  } catch (error) {
    const message = `${source} asks for TLS, but ${folder} lacks ca.pem, cert.pem or key.pem`;
    throw engineFault("unreachable", message, { cause: error });
  }
}

function configFolder(env: Env): string {
  return env["DOCKER_CONFIG"] ?? join(env["HOME"] ?? "/root", ".docker");
}

async function contextAddress(env: Env): Promise<DockerAddress | undefined> {
  const folder = configFolder(env);
  const config = await readJson(join(folder, "config.json"));
  const name = env["DOCKER_CONTEXT"] ?? stringAt(config, "currentContext");
  if (!name || name === "default") return undefined;
  const digest = createHash("sha256").update(name).digest("hex");
  const meta = await readJson(join(folder, "contexts", "meta", digest, "meta.json"));
  const host = stringAt(meta, "Endpoints", "docker", "Host");
  const source = `the Docker context "${name}"`;
  if (host === undefined) {
    throw engineFault("unreachable", `${source} is chosen but not described under ${folder}`);
  }
  const certs = join(folder, "contexts", "tls", digest, "docker");
  const secure = (await readJson(join(certs, "ca.pem"), true)) !== undefined;
  return await parseAddress(host, source, secure ? certs : undefined);
}

/** Undefined if the file is not there; with `exists` its content does not matter. */
async function readJson(path: string, exists = false): Promise<unknown> {
  try {
    const text = await readFile(path, "utf8");
    return exists ? true : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function stringAt(value: unknown, ...path: readonly string[]): string | undefined {
  let at: unknown = value;
  for (const key of path) {
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }
  return typeof at === "string" && at !== "" ? at : undefined;
}

async function usualSocket(env: Env): Promise<DockerAddress> {
  const home = env["HOME"] ?? "/root";
  const places = [
    "/var/run/docker.sock",
    join(home, ".docker/run/docker.sock"),
    ...(env["XDG_RUNTIME_DIR"] ? [join(env["XDG_RUNTIME_DIR"], "docker.sock")] : []),
    join(home, ".docker/desktop/docker.sock"),
    join(home, ".colima/default/docker.sock"),
    join(home, ".orbstack/run/docker.sock"),
    join(home, ".rd/docker.sock"),
  ];
  const answers = await Promise.all(places.map(takesConnection));
  const path = places[Math.max(0, answers.indexOf(true))] ?? "/var/run/docker.sock";
  return { url: `unix://${path}`, source: "a usual place", socketPath: path };
}

async function takesConnection(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
    socket.setTimeout(1_000, () => settle(false));
  });
}
