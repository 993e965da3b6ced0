/** A host that a task may reach, and at which port. */
export interface AllowedHost {
  readonly host: string;
  readonly port: number;
}

/** Ports of a host that was named without one. */
const PORTS = [80, 443];

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const NAME = new RegExp(`^(?:${LABEL}\\.)+${LABEL}$`);
const LENGTH_MAX = 253;

/**
 * A host name in its one form: lower-case, without a dot at its end. Undefined for what is none: an
 * address in any spelling (a name does not end in a number), a single label, an empty one.
 */
export function hostName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, "");
  if (name.length > LENGTH_MAX || !NAME.test(name)) return undefined;
  const last = name.slice(name.lastIndexOf(".") + 1);
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(last) ? undefined : name;
}

/** "api.example.test" (ports 80 and 443) or "api.example.test:8443". Undefined if it is neither. */
export function allowedHosts(entry: string): readonly AllowedHost[] | undefined {
  const [, text = "", digits] = /^([^:]+)(?::([1-9][0-9]{0,4}))?$/.exec(entry) ?? [];
  const host = hostName(text);
  const ports = digits === undefined ? PORTS : [Number(digits)];
  if (host === undefined || ports.some((port) => port > 65_535)) return undefined;
  return ports.map((port) => ({ host, port }));
}
