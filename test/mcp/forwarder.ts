import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A port of this machine that hands every request on as it is, Host and Origin included, and adds
 * one header: the bearer token. For clients that cannot be told to send one.
 */
export class Forwarder implements AsyncDisposable {
  readonly #server = createServer((incoming, outgoing) => {
    const { method, url, rawHeaders } = incoming;
    const headers = [...rawHeaders, "Authorization", `Bearer ${this.token}`];
    const onward = httpRequest(this.target, { method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  /** Where requests go, and with which token. */
  target = "";
  token = "";

  static async open(): Promise<Forwarder> {
    const forwarder = new Forwarder();
    await new Promise<void>((resolve) => {
      forwarder.#server.listen({ host: "127.0.0.1", port: 0 }, resolve);
    });
    return forwarder;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
