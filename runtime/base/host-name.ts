/** A host outside that may be reached, and at which port. */
export interface AllowedHost {
  readonly host: string;
  readonly port: number;
}

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

/** "api.example.test:443": a whole name and a port. Undefined if it is not that. */
export function allowedHost(entry: string): AllowedHost | undefined {
  const [, text = "", digits = ""] = /^([^:]+):([1-9][0-9]{0,4})$/.exec(entry) ?? [];
  const host = hostName(text);
  const port = Number(digits);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}
