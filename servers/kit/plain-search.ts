const OPERATORS = /(?:^|\s)(?:(?:OR|AND|NOT|\|)(?=\s)|[-+]?[A-Za-z_]+:[^\s/])|["*()]/;

/** For a search that found nothing and looks for a text as it is written: that it does so. */
export function plainHint(query: string): string {
  if (!OPERATORS.test(query)) return "";
  return ' The text is looked for as it is written: operators such as OR, from: or "…" are not known here.';
}
