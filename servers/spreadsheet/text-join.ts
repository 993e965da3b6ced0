import type { Parts } from "./formula-tree.ts";
import { GIVES_LIST } from "./function-arguments.ts";
import type { At, LiftTools } from "./lift-tools.ts";
import { MOST_CELLS, NotComputable } from "./list-parts.ts";
import { asText } from "./text-operands.ts";

/**
 * TEXTJOIN that leaves empty texts out: the engine leaves out empty cells alone. Each text becomes a
 * cell with the delimiter before it, or nothing. Undefined if the call asks for something else.
 * `single`: whether an argument stands for the one value in the formula's own row or column.
 */
export function textJoin(
  args: readonly Parts[],
  at: At | undefined,
  tools: LiftTools,
  single: (parts: Parts) => boolean,
): string | undefined {
  const [delimiter = [], ignore = [], ...texts] = args;
  const [said] = ignore;
  const word = said?.kind === "token" ? said.token.text.toUpperCase() : "";
  const ignores = ignore.length === 0 || (ignore.length === 1 && (word === "TRUE" || word === "1"));
  const lists = texts.some(([only]) => only?.kind === "call" && GIVES_LIST.has(only.name));
  if (!ignores || lists) return undefined;
  const between = tools.qualified(() => tools.render(delimiter, at));
  const cells = texts.flatMap((parts) => {
    const one = single(parts);
    const { height, width } = one ? { height: 1, width: 1 } : tools.shape(parts);
    if (height * width > MOST_CELLS) {
      throw new NotComputable("it joins very many texts; give it shorter ranges");
    }
    return Array.from({ length: height * width }, (_, n) => {
      const place = { down: Math.floor(n / width), right: n % width };
      const where = one ? "here" : height * width === 1 ? at : place;
      const value = tools.qualified(() => tools.render(parts, where));
      return [`=IF((${value})="","",(${between})&${asText(parts, value)})`];
    });
  });
  return `MID(CONCAT(${tools.list(cells)}),LEN(${between})+1,32767)`;
}
