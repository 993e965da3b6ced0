const EDIT = "change files with sed, a here-document or the file tools";
const READ = "cannot page here; use cat, head, tail or `sed -n 10,40p`";
const LOOP = "a loop with sleep, such as `for i in 1 2 3; do …; sleep 1; done`";

/** Programs that are of no use without a screen or a keyboard, and what does their work instead. */
const HINTS: Readonly<Record<string, string>> = {
  vi: `vi needs a terminal; ${EDIT}`,
  vim: `vim needs a terminal; ${EDIT}`,
  nvim: `nvim needs a terminal; ${EDIT}`,
  nano: `nano needs a terminal; ${EDIT}`,
  emacs: `emacs needs a terminal; ${EDIT}`,
  top: "top needs a terminal; use `top -b -n 1` or `ps aux`",
  htop: "htop needs a terminal; use `ps aux`",
  watch: `watch needs a terminal and never ends; run the command itself, or ${LOOP}`,
  screen: "screen needs a terminal; use another session, or background",
  tmux: "tmux needs a terminal; use another session, or background",
  less: `less ${READ}`,
  more: `more ${READ}`,
  python3: "standard input is empty, so there is no prompt; use `python3 -c` or a script",
  python: "standard input is empty, so there is no prompt; use `python3 -c` or a script",
  node: "standard input is empty, so there is no prompt; use `node -e` or a script",
  bash: "standard input is empty, so this shell ended at once; give the commands themselves",
};
/** For these an argument is no reason to be silent. */
const ALWAYS = new Set(["vi", "vim", "nvim", "nano", "emacs", "htop", "watch", "screen", "tmux"]);
/** Further on in a line these stand only for themselves: `cat a.txt | less` is fine. */
const BEHIND = new Set([...ALWAYS, "top"]);

/**
 * A hint if the command is such a program; undefined otherwise. Of a command that failed the other
 * commands of its line count too: `cd notes && vim a.txt`.
 */
export function hintFor(command: string, { failed = false } = {}): string | undefined {
  const [first = "", ...others] = command.trim().split(/[;\n]|&&|\|\|?/);
  const hint = hintOf(first, () => true);
  if (hint !== undefined || !failed) return hint;
  for (const other of others) {
    const found = hintOf(other, (program) => BEHIND.has(program));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What may stand before a program: `LANG=C`, `exec`. */
const BEFORE = /^(?:(?:[A-Za-z_]\w*=\S*|sudo|exec|command|env|time|nohup)\s+)+/;

function hintOf(simple: string, counts: (program: string) => boolean): string | undefined {
  const [program = "", ...words] = simple.trim().replace(BEFORE, "").split(/\s+/);
  if (!Object.hasOwn(HINTS, program) || !counts(program)) return undefined;
  const isBare = words.length === 0 || ALWAYS.has(program);
  const isScreen = program === "top" && !words.some((word) => /^-?\w*b/.test(word));
  return isBare || isScreen ? HINTS[program] : undefined;
}
