/** How a line is indented in what was asked for, and how the same line is in the file. */
export interface Indent {
  readonly asked: string;
  readonly real: string;
}

export function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

/**
 * The line with its indentation told in the file's way: as the file has it where the request has the
 * same, else from the nearest one that the two have in common, deeper or less deep by the same steps.
 */
export function reindented(line: string, known: readonly Indent[]): string {
  const asked = indentOf(line);
  return realIndent(asked, known) + line.slice(asked.length);
}

function realIndent(asked: string, known: readonly Indent[]): string {
  const same = known.find((indent) => indent.asked === asked);
  if (same !== undefined) return same.real;
  const steps = stepsOf(known);
  const below = longest(known.filter((indent) => asked.startsWith(indent.asked)));
  if (below !== undefined) {
    return below.real + inSteps(asked.slice(below.asked.length), steps);
  }
  const above = longest(known.filter((indent) => indent.asked.startsWith(asked)));
  if (above === undefined) return asked;
  const less = inSteps(above.asked.slice(asked.length), steps);
  return above.real.endsWith(less) ? above.real.slice(0, above.real.length - less.length) : "";
}

function longest(all: readonly Indent[]): Indent | undefined {
  return all.toSorted((a, b) => b.asked.length - a.asked.length)[0];
}

/** What one step is in the request and in the file, as far as two of their lines tell. */
function stepsOf(known: readonly Indent[]): readonly Indent[] {
  const all = [{ asked: "", real: "" }, ...known];
  const found = all.flatMap((outer) => {
    return all.flatMap(({ asked, real }) => {
      const isDeeper = asked.length > outer.asked.length && real.length > outer.real.length;
      if (!isDeeper || !asked.startsWith(outer.asked) || !real.startsWith(outer.real)) return [];
      return smallest({
        asked: asked.slice(outer.asked.length),
        real: real.slice(outer.real.length),
      });
    });
  });
  return found.toSorted((a, b) => a.asked.length - b.asked.length);
}

/** Eight spaces for two tabs are two steps. */
function smallest({ asked, real }: Indent): Indent {
  const times = Math.min(asked.length, real.length);
  for (let n = times; n > 1; n--) {
    const [one, other] = [asked.slice(0, asked.length / n), real.slice(0, real.length / n)];
    if (one.repeat(n) === asked && other.repeat(n) === real) return { asked: one, real: other };
  }
  return { asked, real };
}

function inSteps(asked: string, steps: readonly Indent[]): string {
  const step = steps.find((one) => one.asked.repeat(asked.length / one.asked.length) === asked);
  return step === undefined ? asked : step.real.repeat(asked.length / step.asked.length);
}
