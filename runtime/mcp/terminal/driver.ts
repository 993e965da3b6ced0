/**
 * The scripts that run in the sandbox under the agent's own user. They are part of the agent's
 * world: it can end them or lie through them about its own commands, to itself.
 *
 * They speak in frames (frames.ts) on the stream of the output:
 *   R pid                            the shell is there
 *   B n uptime last-background-pid   command n begins
 *   D n status flags here cwd        command n is done
 *   V n length text                  the exported environment, as bash would read it
 *   E status                         the shell, or the job, has ended
 *
 * Words of ours are `builtin …`, so that functions and aliases of the agent do not catch them.
 */

/** Signal by which a shell is told to skip the rest of its command. */
export const SKIP_SIGNAL = 61;

/**
 * Reads "n, status, command", each ended by NUL, from what was its standard input. Being parsed
 * as a whole, it cannot be thrown off by what a broken command leaves in bash's parser. It is
 * one line, so that the messages of bash count the command's own lines. The loop of one round
 * catches a `break` or `continue` outside of any loop.
 */
const SHELL = [
  String.raw`__cloche_begin() { IFS=' ' builtin read -r __cloche_t _ </proc/uptime;`,
  String.raw`builtin printf '\036%s;B;%s;%s;%s\0' "$__cloche_nonce" "$__cloche_n"`,
  String.raw`"$__cloche_t" "$!" >&198; builtin return "$__cloche_s"; };`,
  String.raw`__cloche_end() { __cloche_s=$?; __cloche_t=$-; builtin set +euvx; __cloche=0;`,
  String.raw`if [[ $PWD -ef . ]]; then __cloche=1; fi;`,
  // An unfinished [[ leaves bash unable to read the next one; a plain syntax error mends that.
  String.raw`if [[ $__cloche_s == [12] ]]; then builtin eval 'for do }'; fi;`,
  String.raw`builtin printf '\036%s;D;%s;%s;%s;%s;%s\0' "$__cloche_nonce" "$__cloche_n"`,
  String.raw`"$__cloche_s" "$__cloche_t" "$__cloche" "$PWD" >&198; };`,
  String.raw`__cloche_environment() { __cloche=$(builtin export -p);`,
  String.raw`builtin printf '\036%s;V;%s;%s;%s\0' "$__cloche_nonce" "$__cloche_n"`,
  '"${#__cloche}" "$__cloche" >&198; };',
  // Armed by the signal: every further command is skipped and every loop left, until ours come.
  String.raw`builtin trap 'builtin shopt -s extdebug; builtin trap '\''case $BASH_COMMAND in`,
  String.raw`*__cloche*) builtin trap - DEBUG; builtin shopt -u extdebug;;`,
  String.raw`*) builtin break; builtin false;; esac 2>/dev/null'\'' DEBUG' ${SKIP_SIGNAL};`,
  String.raw`builtin unset BASH_EXECUTION_STRING; builtin shopt -s expand_aliases;`,
  String.raw`exec 198>&1 199<&0 </dev/null; IFS= builtin read -r -d '' __cloche_nonce <&199;`,
  String.raw`IFS= builtin read -r -d '' __cloche <&199; builtin cd -- "$__cloche" 2>/dev/null;`,
  String.raw`builtin printf '\036%s;R;%s\0' "$__cloche_nonce" "$$" >&198;`,
  String.raw`while IFS= builtin read -r -d '' __cloche_n <&199; do`,
  String.raw`IFS= builtin read -r -d '' __cloche_s <&199; IFS= builtin read -r -d '' __cloche <&199;`,
  String.raw`if [[ $__cloche_s == environment ]]; then`,
  String.raw`{ __cloche_environment; } >/dev/null 2>&1; else`,
  String.raw`{ __cloche_begin; } >/dev/null 2>&1;`,
  String.raw`for __cloche_once in 1; do builtin eval "$__cloche" 198>&- 199<&-; done;`,
  String.raw`{ __cloche_end; } >/dev/null 2>&1; fi; done`,
].join(" ");

/**
 * Holds the shell and says how it ended, whatever ended it (`exit`, `exec`, a signal, an EXIT trap
 * of the agent), even if processes that it left behind keep the stream open.
 */
const HOLDER = [
  String.raw`IFS= read -r -d '' nonce; /bin/bash --noprofile --norc -c "$0" bash 2>&1;`,
  String.raw`printf '\036%s;E;%s\0' "$nonce" "$?"`,
].join(" ");

/** A background command: a nonce, an environment, a directory and the command come on stdin. */
const JOB = [
  String.raw`IFS= read -r -d '' __cloche_nonce; IFS= read -r -d '' __cloche_env;`,
  String.raw`IFS= read -r -d '' __cloche_cwd; IFS= read -r -d '' __cloche;`,
  String.raw`printf '\036%s;R;%s\0' "$__cloche_nonce" "$$"; unset BASH_EXECUTION_STRING;`,
  String.raw`( builtin shopt -s expand_aliases; builtin eval "$__cloche_env" 2>/dev/null;`,
  String.raw`builtin unset __cloche_env __cloche_nonce; builtin cd -- "$__cloche_cwd";`,
  String.raw`builtin eval "$__cloche" ) 2>&1; printf '\036%s;E;%s\0' "$__cloche_nonce" "$?"`,
].join(" ");

const BASH = ["/bin/bash", "--noprofile", "--norc", "-c"] as const;

export const SHELL_ARGV: readonly string[] = [...BASH, HOLDER, SHELL];
export const JOB_ARGV: readonly string[] = [...BASH, JOB, "bash"];

/** What every shell and job has in its environment, beside what the engine gives. */
export const TERMINAL_ENV: Readonly<Record<string, string>> = {
  TERM: "dumb",
  PAGER: "cat",
  GIT_PAGER: "cat",
  // Keeps byte code out of the workspace, whose content is judged.
  PYTHONPYCACHEPREFIX: "/tmp/pycache",
};
