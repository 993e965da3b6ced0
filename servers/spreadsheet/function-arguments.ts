/**
 * Which arguments of functions are lists of cells (r) and which single values (s): a letter for
 * each, the last one for all that follow; what stands in brackets repeats. Functions that are not
 * here take single values only.
 */
const KINDS: Readonly<Record<string, string>> = {
  ...each(
    "r",
    "SUM AVERAGE AVERAGEA COUNT COUNTA COUNTBLANK MIN MINA MAX MAXA PRODUCT SUMSQ MEDIAN MODE " +
      "MODE.SNGL MODE.MULT STDEV STDEVA STDEVP STDEVPA STDEV.S STDEV.P VAR VARA VARP VARPA VAR.S " +
      "VAR.P AVEDEV DEVSQ GEOMEAN HARMEAN SKEW SKEW.P KURT SUMPRODUCT AND OR XOR CONCAT GCD LCM " +
      "MULTINOMIAL CORREL COVAR COVARIANCE.P COVARIANCE.S PEARSON RSQ SLOPE INTERCEPT STEYX " +
      "SUMX2MY2 SUMX2PY2 SUMXMY2 FREQUENCY MMULT MDETERM MINVERSE TRANSPOSE ROWS COLUMNS AREAS " +
      "CHISQ.TEST CHITEST F.TEST FTEST VSTACK HSTACK SORTBY ISFORMULA ISREF LINEST LOGEST",
  ),
  ...each("rs", "LARGE SMALL PERCENTILE PERCENTILE.INC PERCENTILE.EXC QUARTILE QUARTILE.INC"),
  ...each(
    "rs",
    "QUARTILE.EXC PERCENTRANK PERCENTRANK.INC PERCENTRANK.EXC TRIMMEAN IRR MIRR Z.TEST",
  ),
  ...each("rs", "INDEX OFFSET UNIQUE SORT TAKE DROP CHOOSECOLS CHOOSEROWS TOCOL TOROW EXPAND"),
  ...each("rs", "WRAPCOLS WRAPROWS ARRAYTOTEXT"),
  ...each("rrs", "FILTER XIRR PROB T.TEST TTEST TREND GROWTH"),
  ...each("srs", "VLOOKUP HLOOKUP MATCH XMATCH RANK RANK.EQ RANK.AVG"),
  ...each("sr", "SUBTOTAL NPV FVSCHEDULE"),
  ...each("srs", "REDUCE SCAN"),
  ...each("rs", "MAP BYROW BYCOL"),
  ...each("r", "LAMBDA"),
  ...each("srr", "LOOKUP FORECAST FORECAST.LINEAR XNPV"),
  ...each("srrs", "XLOOKUP"),
  ...each("ssr", "TEXTJOIN NETWORKDAYS WORKDAY"),
  ...each("sssr", "NETWORKDAYS.INTL WORKDAY.INTL SERIESSUM"),
  ...each(
    "rsr",
    "SUMIF AVERAGEIF DSUM DCOUNT DCOUNTA DGET DMAX DMIN DAVERAGE DPRODUCT DSTDEV DSTDEVP DVAR DVARP",
  ),
  ...each("[rs]", "COUNTIFS"),
  ...each("rs", "COUNTIF"),
  ...each("r[rs]", "SUMIFS AVERAGEIFS MAXIFS MINIFS"),
};

function each(kinds: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(" ").map((name) => [name, kinds]));
}

/** Whether argument `index` of a function is a list of cells. */
export function takesList(name: string, index: number): boolean {
  const kinds = KINDS[name] ?? "s";
  const [fixed = "", repeated] = kinds.split(/[[\]]/);
  if (index < fixed.length) return fixed[index] === "r";
  if (repeated !== undefined && repeated !== "") {
    return repeated[(index - fixed.length) % repeated.length] === "r";
  }
  return fixed.at(-1) === "r";
}

/** Whether every argument of a function is a list, as of SUM. */
export function takesListsOnly(name: string): boolean {
  return KINDS[name] === "r";
}

/** They give as many values as they find, or compute with all of a list at once. */
export const GIVES_LIST = new Set(
  (
    "FILTER SORT SORTBY UNIQUE SEQUENCE RANDARRAY TRANSPOSE MMULT MINVERSE MUNIT FREQUENCY TAKE DROP " +
    "CHOOSECOLS CHOOSEROWS VSTACK HSTACK TOCOL TOROW EXPAND WRAPCOLS WRAPROWS TEXTSPLIT MAP SCAN " +
    "BYROW BYCOL MAKEARRAY LINEST LOGEST TREND GROWTH MODE.MULT"
  ).split(" "),
);

/** They give cells, not values. */
export const GIVES_CELLS = new Set(["OFFSET", "INDIRECT", "INDEX", "XLOOKUP"]);

/** They compute with lists by themselves, also in programs that do so only where told. */
export const COMPUTES_LISTS = new Set(
  "SUMPRODUCT LOOKUP INDEX MMULT FREQUENCY SUMX2MY2 SUMX2PY2 SUMXMY2".split(" "),
);
