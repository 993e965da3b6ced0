import { exactJson } from "../../base/exact-json.ts";
import { messageOf } from "../../base/fault.ts";
import type { JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from "../json-rpc.ts";
import {
  classify,
  progressTokenOf,
  RPC_ERROR,
  readMessage,
  withProgressToken,
} from "../json-rpc.ts";
import type { WireLog } from "../record/wire-log.ts";
import { Awaited, type Waiter } from "./awaited.ts";
import { FloodLimit } from "./flood-limit.ts";
import type { JsonRpcMessage, LinkClosed, ServerLink } from "./server-link.ts";

/** The one frame that stands for all that was dropped. */
const DROPPED = "cloche/dropped";

/** What a server says before there is a rollout to say it to; the rest is dropped. */
const MAX_EARLY = 1_000;

/** What a server says of its own accord. */
export interface ServerVoice {
  request(upstream: Upstream, message: JsonRpcRequest): void;
  notification(upstream: Upstream, message: JsonRpcNotification): void;
  /** An answer to nothing that was asked, or one that came twice. */
  violation(upstream: Upstream, what: string): void;
  /** Something on our side broke while a message was handled; the rollout cannot go on. */
  failed(error: unknown): void;
}

/** What a greeting needs of a server. */
export type Conversation = Pick<Upstream, "request" | "send" | "stderrTail">;

/** A server that is started once somebody asks something of it. */
export interface Sleeper {
  /** Starts it. */
  open(): Promise<ServerLink>;
  /** Speaks with it before anybody else is let through. Rejects if it must not be used. */
  greet(first: Conversation): Promise<void>;
  /** Whether the rollout cannot go on after this error, or has merely lost a server. */
  isFatal(error: unknown): boolean;
}

/** One server of the rollout and the requests under way at it. */
export class Upstream {
  readonly name: string;
  /** Settles when the server is gone; it is not started again. */
  readonly closed: Promise<LinkClosed>;
  readonly #wire: WireLog;
  readonly #closing = Promise.withResolvers<LinkClosed>();
  readonly #awaited = new Awaited();
  #link: ServerLink | undefined;
  #sleeper: Sleeper | undefined;
  #waking: Promise<void> | undefined;
  /** What is to be sent once the server is up; undefined when it is. */
  #held: JsonRpcMessage[] | undefined;
  #failure: { readonly error: unknown } | undefined;
  #voice: ServerVoice | undefined;
  #early: (JsonRpcRequest | JsonRpcNotification)[] = [];
  readonly #floodLimit = new FloodLimit();
  #lost: LinkClosed | undefined;

  /** On a link with a server that is up, or on one that sleeps until the first request. */
  constructor(name: string, from: ServerLink | Sleeper, wire: WireLog) {
    this.name = name;
    this.#wire = wire;
    this.closed = this.#closing.promise;
    if ("greet" in from) {
      this.#sleeper = from;
      this.#held = [];
    } else {
      this.#adopt(from);
    }
  }

  /** Why the server is gone; undefined while it is there. */
  get lost(): LinkClosed | undefined {
    return this.#lost;
  }

  /** As the wire log calls it. */
  get peer(): string {
    return `server:${this.name}`;
  }

  get stderrTail(): string {
    return this.#link?.stderrTail ?? "";
  }

  /** Why the rollout cannot go on with it, if that is so. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /**
   * Starts a server that sleeps; without effect on any other. Settles when it is up or lost, never
   * rejects.
   */
  wake(): Promise<void> {
    this.#waking ??= this.#wake();
    return this.#waking;
  }

  /** Sets who hears the server's own requests and notifications; what came before comes first. */
  listen(voice: ServerVoice): void {
    this.#voice = voice;
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.#guard(() => this.#hand(message));
    if (this.#failure !== undefined) voice.failed(this.#failure.error);
  }

  /**
   * Sends a request and returns the id it goes by here. Forwards the message as it is, but for its
   * id and, if it has one, its progress token.
   */
  request(message: Omit<JsonRpcMessage, "id">, waiter: Waiter): number {
    const id = this.#request(message, waiter, (asked) => this.#pass(asked));
    if (this.#held !== undefined) void this.wake();
    return id;
  }

  #request(
    message: Omit<JsonRpcMessage, "id">,
    waiter: Waiter,
    send: (message: JsonRpcMessage) => void,
  ): number {
    const id = this.#awaited.newId();
    const lost = this.#lost;
    if (lost !== undefined) {
      queueMicrotask(() => this.#guard(() => waiter.lost(lost)));
      return id;
    }
    const asks = progressTokenOf(message) !== undefined;
    const params = asks ? { params: withProgressToken(message.params, id) } : {};
    this.#awaited.add(id, waiter);
    send({ ...message, id, ...params });
    return id;
  }

  /** Nobody waits for this request any more: the server is told, a late answer is dropped. */
  cancel(id: number, reason: string): void {
    if (!this.#awaited.remove(id)) return;
    const held = this.#held?.findIndex((message) => message.id === id) ?? -1;
    if (held >= 0) {
      this.#held?.splice(held, 1);
      return;
    }
    const params = { requestId: id, reason };
    this.#awaited.expectLate(id);
    this.#pass({ jsonrpc: "2.0", method: "notifications/cancelled", params });
  }

  /** Sends a notification or a response as it is. */
  send(message: JsonRpcMessage): void {
    if (this.#lost === undefined) this.#pass(message);
  }

  async #wake(): Promise<void> {
    const sleeper = this.#sleeper;
    if (sleeper === undefined) return;
    try {
      this.#adopt(await sleeper.open());
      await sleeper.greet(this.#ahead());
    } catch (error) {
      this.#notWoken(error, sleeper.isFatal(error));
      return;
    }
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) this.#guard(() => this.#send(message));
  }

  /** Lets through what others have to wait for. */
  #ahead(): Conversation {
    const tail = () => this.stderrTail;
    return {
      request: (message, waiter) => this.#request(message, waiter, (one) => this.#send(one)),
      send: (message) => this.#send(message),
      get stderrTail() {
        return tail();
      },
    };
  }

  #notWoken(error: unknown, isFatal: boolean): void {
    if (isFatal) this.#failure = { error };
    this.#over({ reason: messageOf(error), exitCode: null });
    if (isFatal) this.#voice?.failed(error);
  }

  #adopt(link: ServerLink): void {
    this.#link = link;
    link.onMessage((message, text) => {
      this.#guard(() => {
        if (text !== undefined) this.#receive(message, text);
        else this.#receiveUnread(exactJson(message));
      });
    });
    void link.closed.then((closed) => this.#over(closed));
  }

  #over(closed: LinkClosed): void {
    if (this.#lost !== undefined) return;
    this.#lost = closed;
    this.#held = undefined;
    for (const waiter of this.#awaited.takeAll()) this.#guard(() => waiter.lost(closed));
    this.#closing.resolve(closed);
  }

  #pass(message: JsonRpcMessage): void {
    if (this.#held === undefined) this.#send(message);
    else this.#held.push(message);
  }

  #send(message: JsonRpcMessage): void {
    const text = exactJson(message);
    this.#wire.write("out", this.peer, text);
    this.#link?.send(message, text);
  }

  /** Of a server in this process, whose words nobody has looked at. */
  #receiveUnread(text: string): void {
    const read = readMessage(text);
    if (read.kind !== "refused") {
      this.#receive(read.message, text);
      return;
    }
    const { id = null } = JSON.parse(text) as JsonRpcMessage;
    const message = `The server's answer was withheld: ${read.reason}. The request itself was made.`;
    this.#receive({ jsonrpc: "2.0", id, error: { code: RPC_ERROR.server, message } }, text);
  }

  #receive(message: JsonRpcMessage, text: string): void {
    const read = classify(message);
    const isAnswer = read.kind === "response" && this.#awaited.has(read.message.id);
    if (!isAnswer && this.#isFlooding(text)) return;
    this.#wire.write("in", this.peer, text);
    if (read.kind === "response") {
      this.#answer(read.message);
      return;
    }
    if (read.kind === "refused") {
      this.#voice?.violation(this, read.reason);
      return;
    }
    const waiter = read.kind === "request" ? undefined : this.#awaited.progressOf(read.message);
    if (waiter?.progress !== undefined) waiter.progress(read.message);
    else if (this.#voice !== undefined) this.#hand(read.message);
    else if (this.#early.length < MAX_EARLY) this.#early.push(read.message);
  }

  #hand(message: JsonRpcRequest | JsonRpcNotification): void {
    if ("id" in message) this.#voice?.request(this, message as JsonRpcRequest);
    else this.#voice?.notification(this, message);
  }

  #isFlooding(text: string): boolean {
    const fate = this.#floodLimit.count(text.length);
    if (fate === "take") return false;
    const { sentence } = this.#floodLimit;
    if (fate === "break") this.#link?.break(`it wrote ${sentence}`);
    if (fate === "first-drop") {
      const params = { reason: `${sentence}: from here on such messages are dropped` };
      this.#wire.write("in", this.peer, JSON.stringify({ method: DROPPED, params }));
      this.#voice?.violation(this, sentence);
    }
    return true;
  }

  #answer(response: JsonRpcResponse): void {
    const waiter = this.#awaited.answerTo(response);
    if (waiter === undefined) {
      this.#voice?.violation(this, `an answer to the request ${JSON.stringify(response.id)}`);
    } else if (waiter !== "late") {
      waiter.answered(response);
    }
  }

  /** A link's listener must not throw, and what it throws is never the server's doing. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.#voice !== undefined) {
        this.#voice.failed(error);
        return;
      }
      const closed = { reason: messageOf(error), exitCode: null };
      for (const waiter of this.#awaited.takeAll()) waiter.lost(closed);
    }
  }
}
