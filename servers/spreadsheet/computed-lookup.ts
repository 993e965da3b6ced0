import type { Parts } from "./formula-tree.ts";
import type { At, LiftTools } from "./lift-tools.ts";

/**
 * LOOKUP in a list that is computed, LOOKUP(2,1/(A1:A9="x"),B1:B9): the engine stops at errors in
 * it, others pass over them. So it becomes the last place whose value is not more.
 */
export function lookup(
  [wanted = [], list = [], results = list]: readonly Parts[],
  at: At | undefined,
  tools: LiftTools,
  argument: (parts: Parts) => string,
): string {
  const { height, width } = tools.shape(list);
  const value = tools.qualified(() => tools.render(wanted, at));
  const cells = Array.from({ length: height }, (_, down) => {
    return Array.from({ length: width }, (_, right) => {
      const one = tools.qualified(() => tools.render(list, { down, right }));
      return `=IFERROR(IF((${one})<=(${value}),${down * width + right + 1},0),0)`;
    });
  });
  const place = `MAX(${tools.list(cells)})`;
  return `IF(${place}=0,NA(),INDEX(${argument(results)},${place}))`;
}
