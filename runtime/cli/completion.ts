import { type Command, Option } from "commander";

/** A command by the words that lead to it, and what may follow. */
interface Place {
  /** "" or "task list". */
  readonly path: string;
  /** Commands below it, and what its arguments may be. */
  readonly words: readonly string[];
  readonly options: readonly string[];
  /** The values of options that have a fixed choice: "--format" → mcp, openai. */
  readonly choices: readonly (readonly [option: string, values: readonly string[]])[];
}

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A program for a shell that completes what `program` knows, made from its own commands and options. */
export function completionFor(shell: Shell, program: Command): string {
  const places = placesOf(program, "");
  if (shell === "fish") return fish(places);
  const load =
    "autoload -Uz compinit bashcompinit\n(( $+functions[compdef] )) || compinit\nbashcompinit";
  return shell === "zsh" ? `${load}\n${bash(places)}` : bash(places);
}

function placesOf(command: Command, path: string): readonly Place[] {
  const below = command.commands.map((one) => [one, `${path} ${one.name()}`.trim()] as const);
  const options = [...command.options, new Option("--help")];
  const named = options.flatMap((option) => (option.long ? [{ option, long: option.long }] : []));
  return [
    {
      path,
      words: [
        ...command.commands.map((one) => one.name()),
        ...command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
      ],
      options: named.map(({ long }) => long),
      choices: named.flatMap(({ option, long }) =>
        option.argChoices ? [[long, option.argChoices] as const] : [],
      ),
    },
    ...below.flatMap(([one, at]) => placesOf(one, at)),
  ];
}

/** Where nothing of ours fits, the shell completes files. */
function bash(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const values = places.flatMap(({ path, choices }) =>
    choices.map(([option, all]) => `    "${path} ${option}") words="${all.join(" ")}" ;;`),
  );
  const words = places.map(({ path, words: own, options }) => {
    return `    "${path}") words="${[...own, ...options].join(" ")}" ;;`;
  });
  return `_cloche() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${at:+$at }\${COMP_WORDS[i]}" in
      ${paths.join("|")}) at="\${at:+$at }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at $prev" in
${values.join("\n")}
  esac
  if [ -z "$words" ]; then case "$at" in
${words.join("\n")}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _cloche cloche cloche.mjs
`;
}

function fish(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const lines = places.flatMap(({ path, words, options, choices }) => {
    const at = `string match -q -- "${path}" (__cloche_at)`;
    const all = [
      ...words.map((name) => `-f -a ${name}`),
      ...options.map((option) => {
        const known = choices.find(([name]) => name === option)?.[1];
        return `-l ${option.slice(2)}${known ? ` -x -a "${known.join(" ")}"` : ""}`;
      }),
    ];
    return all.map((rest) => `  complete -c $name -n '${at}' ${rest}`);
  });
  return `function __cloche_at
  set -l at ""
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$at $word")
    contains -- "$next" ${paths.join(" ")}; and set at "$next"
  end
  echo "$at"
end
for name in cloche cloche.mjs
${lines.join("\n")}
end
`;
}
