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
    case "VALUE":
      // Times and amounts in brackets are numbers to others.
      return `LET(t,${first},IFERROR(VALUE(t),IFERROR(TIMEVALUE(t),IF(LEFT(t)="(",-VALUE(MID(t,2,LEN(t)-2)),VALUE(t)))))`;
    case "EDATE":
    case "EOMONTH":
      return bounded(second, 120_000, (n) => `${name}(${first},${n})`);
    case "WORKDAY":
      return bounded(
        second,
        3_000_000,
        (n) => `WORKDAY(${[first, n, ...args.slice(2)].join(",")})`,
      );
    case "FACT":
    case "FACTDOUBLE":
      return bounded(first, 300, (n) => `${name}(${n})`);
    case "DATE":
      return bounded(args[2] ?? "", 4_000_000, (n) => `DATE(${yearOf(first)},${second},${n})`);
    case "BASE":
      return bounded(
        args[2] ?? "",
        255,
        (n) => `BASE(${[first, second, ...(n ? [n] : [])].join(",")})`,
      );
    case "REPT":
      // A cell holds no longer text.
      return `LET(t,${first},n,${second},IF(LEN(t)*n>32767,VALUE("-"),REPT(t,IF(t="",0,n))))`;
    default:
      return call;
  }
}

/** Years before 1900 are counted from there. */
function yearOf(year: string): string {
  return /^(?:19|[2-9]\d)\d\d$/.test(year) ? year : `LET(y,${year},IF(y<0,y,IF(y<1900,y+1900,y)))`;
}

/** The engine breaks at numbers of this size, where others answer with an error. */
function bounded(number: string, most: number, call: (n: string) => string): string {
  if (number === "" || /^\d{1,4}$/.test(number)) return call(number);
  return `LET(n,${number},IF(ABS(n)>${most},SQRT(-1),${call("n")}))`;
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
