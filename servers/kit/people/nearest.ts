/** The word that needs the fewest edits, if these are few enough to be a slip. */
export function nearest(asked: string, words: readonly string[]): string | undefined {
  const text = asked.slice(0, 100);
  let best: string | undefined;
  let least = Math.max(3, Math.ceil(text.length / 2)) + 1;
  for (const word of words) {
    const edits = editsBetween(text, word.toLowerCase().slice(0, 100), least);
    if (edits < least) [best, least] = [word, edits];
  }
  return best;
}

/** Levenshtein's distance, or `most` if it is not below. */
function editsBetween(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most) return most;
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const swap = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      line.push(Math.min(swap, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1));
    }
    above = line;
  }
  return Math.min(above[b.length] ?? most, most);
}
