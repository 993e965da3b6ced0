import { NotComputable } from "./list-parts.ts";

/** What a formula comes to that cannot be computed, seen only when its arguments are known. */
export const NOT_COMPUTED = "#N/IMPL!";
const NO_NUMBER = "SQRT(-1)";
const MOST_TRIALS = 100_000;
/** From here on Excel has no sine. */
const MOST_ANGLE = 134_217_728;
const MOST_PLACES = 300;

/**
 * Calls whose numbers the engine takes otherwise than Excel: beyond a bound it breaks, or loses
 * digits without a word. Undefined for other calls.
 */
export function numberCall(name: string, args: readonly string[]): string | undefined {
  const [first = "", second = ""] = args;
  const call = `${name}(${args.join(",")})`;
  switch (name) {
    case "SIN":
    case "COS":
    case "TAN":
    case "COT":
    case "CSC":
    case "SEC":
      return `LET(x,${first},IF(ABS(x)>=${MOST_ANGLE},${NO_NUMBER},${name}(x)))`;
    case "ROUNDUP":
    case "ROUNDDOWN":
    case "TRUNC":
      if (args.length !== 2 || /^-?\d{1,2}$/.test(second)) return undefined;
      return `LET(r,${first},d,${second},IF(d>${MOST_PLACES},1*r,IF(d<-308,0*r,${name}(r,d))))`;
    case "ADDRESS":
      return `IF(OR((${first})>1048576,(${second})>16384),VALUE("-"),${call})`;
    case "RATE":
      return rate(args);
    case "YEAR":
    case "MONTH":
    case "DAY":
      return args.length === 1 ? earlyPart(name, first) : undefined;
    case "EDATE":
    case "EOMONTH":
      return isLate(first) ? undefined : earlyMonths(name, first, second);
    case "WEEKNUM":
    case "ISOWEEKNUM":
      return isLate(first) ? undefined : `${name}(${args.with(0, calendarDay(first)).join(",")})`;
    case "DATEDIF":
      if (/^"m?d"$/i.test(args[2] ?? "")) return undefined;
      return `${name}(${args.map((arg, n) => (n < 2 && !isLate(arg) ? calendarDay(arg) : arg)).join(",")})`;
    case "NUMBERVALUE":
      return `NUMBERVALUE(${[`SUBSTITUTE(${first}," ","")`, ...args.slice(1)].join(",")})`;
    case "STDEVA":
    case "STDEVPA":
    case "VARA":
    case "VARPA":
      return `${name}(${args.map((arg) => (isTruth(arg) ? `1*${arg}` : arg)).join(",")})`;
    default:
      return statistic(name, args);
  }
}

/** Beyond these numbers the engine's distributions lose their digits. */
function statistic(name: string, args: readonly string[]): string | undefined {
  const [first = "", second = ""] = args;
  const call = `${name}(${args.join(",")})`;
  switch (name) {
    case "BINOM.DIST":
    case "BINOMDIST":
    case "BINOM.DIST.RANGE":
      return few(second, (n) => `${name}(${args.with(1, n).join(",")})`);
    case "BINOM.INV":
    case "CRITBINOM":
      return few(first, (n) => `${name}(${args.with(0, n).join(",")})`);
    case "POISSON":
    case "POISSON.DIST":
    case "NEGBINOM.DIST":
    case "NEGBINOMDIST":
      return guarded(`MAX(${first},${second})>${MOST_TRIALS}`, call);
    case "HYPGEOM.DIST":
    case "HYPGEOMDIST":
      return guarded(`(${args[3]})>1000`, call);
    case "BETA.DIST":
    case "BETADIST":
      return guarded(`MAX(${second},${args[2]})>10000`, call);
    case "F.DIST":
    case "F.DIST.RT":
    case "FDIST":
      return guarded(`MAX(${second},${args[2]})>10000`, call);
    case "T.DIST":
    case "T.DIST.RT":
    case "T.DIST.2T":
    case "TDIST":
      return guarded(`(${second})>100000`, call);
    case "STDEV":
    case "STDEV.S":
    case "STDEVP":
    case "STDEV.P":
      return spread(args, call, "1E-4");
    case "VAR":
    case "VAR.S":
    case "VARP":
    case "VAR.P":
    case "DEVSQ":
      return spread(args, call, "1E-8*ABS(m)");
    default:
      return undefined;
  }
}

function guarded(beyond: string, call: string): string {
  return `IF(${beyond},${NOT_COMPUTED},${call})`;
}

/** The engine loses all digits of numbers that are close to each other. */
function spread(args: readonly string[], call: string, least: string): string {
  const list = args.join(",");
  const judged = `IF(ABS(s)<ABS(m)*${least},${NOT_COMPUTED},s)`;
  return `LET(s,${call},m,AVERAGE(${list}),IF(ISERROR(s),s,IF(MAX(${list})-MIN(${list})=0,0,${judged})))`;
}

function few(number: string, call: (n: string) => string): string {
  if (/^\d{1,5}$/.test(number)) return call(number);
  return `LET(n,${number},IF(n>${MOST_TRIALS},${NOT_COMPUTED},${call("n")}))`;
}

/** The engine's search may end where it began: what it finds is put to the test. */
function rate(args: readonly string[]): string {
  if (args.length > 5) throw new NotComputable("it uses RATE with a guess");
  const [count = "", pay = "", now = "", then = "0", due = "0"] = args.map((arg) => arg || "0");
  const found = `RATE(n,p,b,${args.length > 3 ? "f" : "0"},t)`;
  const grown = "b*g+p*(1+r*t)*IF(r=0,n,(g-1)/r)+f";
  const sound = `ABS(${grown})<=1E-7*(ABS(b)*g+ABS(p)*n*g+ABS(f))`;
  const values = `n,${count},p,${pay},b,${now},f,${then},t,${due},r,${found},g,(1+r)^n`;
  return `LET(${values},IF(ISERROR(r),r,IF(${sound},r,${NOT_COMPUTED})))`;
}

/** Of a day before March 1900, of which Excel has one more than the calendar. */
function earlyPart(name: string, day: string): string {
  const answers: Readonly<Record<string, string>> = {
    YEAR: "1900",
    MONTH: "IF(s<32,1,2)",
    DAY: "IF(s<1,0,IF(s<60,DAY(s+1),29))",
  };
  if (isLate(day)) return `${name}(${day})`;
  // A text is never less than a number.
  return `LET(s,${day},IF(s<61,IF(s<0,${NO_NUMBER},${answers[name]}),${name}(s)))`;
}

function earlyMonths(name: string, day: string, months: string): string {
  const call = `${name}(${calendarDay(day)},n)`;
  const bound = /^-?\d{1,4}$/.test(months) ? "FALSE" : "ABS(n)>120000";
  return `LET(n,${months},IF(${bound},${NO_NUMBER},LET(k,${call},IF(k<61,k-1,k))))`;
}

/** The engine counts every day as the calendar has it. */
export function calendarDay(day: string, first = "s+1"): string {
  return `LET(s,${day},IF(s<60,${first},s))`;
}

/** A day that is certainly after February 1900, or a text. */
function isLate(day: string): boolean {
  return /^(?:\d{3,7}|"[^"]*"|DATE\((?:19[1-9]\d|[2-9]\d{3}),\d+,\d+\))$/.test(day);
}

function isTruth(arg: string): boolean {
  return /^(?:TRUE|FALSE)(?:\(\))?$/i.test(arg);
}

/**
 * The number that Excel makes of a text which is known only when it is computed; what may be a day
 * or a time in another spelling than the engine's is not computed.
 */
export function numberOfText(text: string): string {
  const starts = 'ISNUMBER(FIND(LEFT(TRIM(t)),"0123456789"))';
  const has = (sign: string) => `ISNUMBER(FIND("${sign}",t))`;
  const month =
    'IF(LEN(t)>3,ISNUMBER(FIND(LOWER(LEFT(TRIM(t),3)),"jan feb mar apr may jun jul aug sep oct nov dec")),FALSE)';
  const odd = `OR(AND(${starts},OR(${has(":")},${has("/")},${has("-")})),AND(${month},ISNUMBER(FIND(RIGHT(TRIM(t)),"0123456789"))))`;
  const time = `IF(OR(${has("/")},${has("-")}),VALUE("-"),TIMEVALUE(t))`;
  const negative = 'IF(LEFT(t)="(",-VALUE(MID(t,2,LEN(t)-2)),VALUE("-"))';
  const others = `IFERROR(${time},IFERROR(${negative},IF(${odd},${NOT_COMPUTED},VALUE("-"))))`;
  return `LET(t,${text},IF(ISTEXT(t),IFERROR(VALUE(t),${others}),1*t))`;
}

const LOOKS_AT_ERRORS = new Set("ISERROR ISERR ISNUMBER ISTEXT ISNONTEXT ISLOGICAL".split(" "));

/** Functions that make something else of an error must not make it of "cannot be computed". */
export function keepsDoubt(name: string, args: readonly string[]): string | undefined {
  const [first = "", other = ""] = args;
  if (!first.includes(NOT_COMPUTED)) return undefined;
  const isDoubt = "IF(ISERROR(q),ERROR.TYPE(q)=102,FALSE)";
  if (name === "IFERROR") return `LET(q,${first},IF(${isDoubt},q,IFERROR(q,${other})))`;
  if (LOOKS_AT_ERRORS.has(name)) return `LET(q,${first},IF(${isDoubt},q,${name}(q)))`;
  return undefined;
}
