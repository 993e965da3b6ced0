/**
 * Calls that the engine answers otherwise than the programs that people use, put so that it
 * answers like them. The arguments are in its words already.
 */
export function likeOthers(name: string, args: readonly string[]): string {
  const [first = "", second = ""] = args;
  const call = `${name}(${args.join(",")})`;
  switch (name) {
    case "ROUND":
      // It rounds 1.005 * 100, a little less than 100.5, where others round what stands there.
      if (args.length !== 2) return call;
      return `LET(r,1*(${first}),d,TRUNC(${second}),VALUE(${ROUNDED}&"E"&(0-d)))`;
    case "HOUR":
    case "MINUTE":
      return args.length === 1 ? `${name}((${first})+5E-9)` : call;
    case "SECOND":
      // It cuts parts of a second off, others round them.
      return args.length === 1 ? `SECOND((${first})+0.5/86400)` : call;
    default:
      return call;
  }
}

const ROUNDED = 'ROUND(VALUE(r&"E"&d),0)';

/** Why a result is not to be believed; undefined if it is. */
export function doubt(formula: string, kind: string, text: string): string | undefined {
  if (kind === "error" && text === "#VALUE!" && /\b(?:TEXT|HOUR|MINUTE|SECOND)\(/.test(formula)) {
    return "one of its functions, or what that is given, cannot be computed here";
  }
  if (kind === "text" && formula.includes("&")) {
    const long = text.match(/\d*\.\d+/g)?.some((n) => digits(n) > 15);
    if (long)
      return "it joins a number with very many digits to a text; put TEXT or ROUND around it";
  }
  return undefined;
}

function digits(number: string): number {
  return number.replace(".", "").replace(/^0+/, "").length;
}
