/**
 * The known names nearest to a mistyped one, best first, at most three; empty if none is near.
 * Distance is edits (Levenshtein); a name is near within a third of its length, at least two.
 */
export function nearest(wanted: string, known: Iterable<string>): string[] {
  return [...known]
    .map((name) => ({ name, distance: edits(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** `; did you mean "a" or "b"?`, or nothing. For the end of an error message. */
export function didYouMean(wanted: string, known: Iterable<string>): string {
  const names = nearest(wanted, known).map((name) => `"${name}"`);
  return names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`;
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (letter === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
