/** Programs that are of no use without a screen or a keyboard, and what does their work instead. */
const HINTS: Readonly<Record<string, string>> = {
  vi: "vi needs a terminal; change files with sed, a here-document or the file tools",
  vim: "vim needs a terminal; change files with sed, a here-document or the file tools",
  nano: "nano needs a terminal; change files with sed, a here-document or the file tools",
  emacs: "emacs needs a terminal; change files with sed, a here-document or the file tools",
  top: "top needs a terminal; use `top -b -n 1` or `ps aux`",
  htop: "htop needs a terminal; use `ps aux`",
  less: "less cannot page here; use cat, head, tail or `sed -n 10,40p`",
  more: "more cannot page here; use cat, head, tail or `sed -n 10,40p`",
  python3: "standard input is empty, so there is no prompt; use `python3 -c` or a script",
  python: "standard input is empty, so there is no prompt; use `python3 -c` or a script",
  node: "standard input is empty, so there is no prompt; use `node -e` or a script",
  bash: "standard input is empty, so this shell ended at once; give the commands themselves",
};
/** For these an argument is no reason to be silent. */
const ALWAYS = new Set(["vi", "vim", "nano", "emacs", "htop"]);

/** A hint if the command calls such a program by itself; undefined otherwise. */
export function hintFor(command: string): string | undefined {
  const words = command.trim().split(/\s+/, 2);
  const [program = "", argument] = words;
  if (argument !== undefined && !ALWAYS.has(program)) return undefined;
  return Object.hasOwn(HINTS, program) ? HINTS[program] : undefined;
}
