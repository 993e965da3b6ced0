import { openTerminal, type Terminal } from "./terminal.ts";

/** What every command is given: the world around the process, read here and nowhere below. */
export interface Context {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** The repository: where tasks/ and images/ are. */
  readonly root: string;
}

export interface CommonOptions {
  readonly data?: string;
  readonly engine?: string;
  readonly json?: boolean;
  readonly root?: readonly string[];
  readonly signingKey?: string;
  readonly verbose?: boolean;
  /** How tightly sandboxes are closed (or CLOCHE_PROFILE). */
  readonly profile?: string;
  /** The OCI runtime that sandboxes are run with (or CLOCHE_RUNTIME). */
  readonly runtime?: string;
  /** Sandboxes of images by their digest alone (or CLOCHE_IMAGES_BY_DIGEST). */
  readonly imagesByDigest?: boolean;
  /** Tasks may reach the hosts outside that they ask for (or CLOCHE_ALLOW_EGRESS). */
  readonly allowEgress?: boolean;
}

export function openContext(root: string): Context {
  return { terminal: openTerminal(process.env), env: process.env, root };
}
