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

/** How wide and high the screen is that a session's programs are told of; there is none. */
export interface Size {
  readonly columns: number;
  readonly lines: number;
}

/**
 * Of a session that nobody resized, which is what programs assume by themselves. Its shell knows
 * it, as a shell at a real terminal does, and does not export it: `ps` and others would cut their
 * lines to it.
 */
export const DEFAULT_SIZE: Size = { columns: 80, lines: 24 };

/** As programs look for it. */
export function sizeVariables({ columns, lines }: Size): Record<string, string> {
  return { COLUMNS: String(columns), LINES: String(lines) };
}

/** A larger exported environment is not handed on. Less than a frame may have. */
const ENVIRONMENT_BYTES = 256 * 1024;

/**
 * Reads "n, status, command", each ended by NUL, from what was its standard input. Being parsed
 * as a whole, it cannot be thrown off by what a broken command leaves in bash's parser; after a
 * broken `[[` a plain syntax error mends that state. It is one line, so that bash's messages count
 * the command's own lines. The loop of one round catches a `break` or `continue` outside of any
 * loop. The trap, once the signal came, skips every further command and leaves every loop, until
 * one of ours is reached. A status of "environment", "export" or "reap" (forget ended jobs, whose
 * message would hold a pid) is a request of another kind.
 *
 * "5:eu" is a status with the options that are off between commands: both are put back, without a
 * word in the command's trace and without `set -e` taking the status for a failure.
 * A command may end with a status that `set -e` lets pass (`grep -q x f && echo found`); that the
 * `eval` around it then ends with the same must not end the shell. `set -e` is looked at after an
 * ERR trap ran, so a trap of ours switches it off for that one word. An ERR trap of the agent's
 * takes its place; under `set -v`, which shows the text of traps, there is none.
 */
const SHELL = oneLine(String.raw`
__cloche_begin() {
  IFS=' ' builtin read -r __cloche_t _ </proc/uptime;
  builtin printf '\036%s;B;%s;%s;%s\0' "$__cloche_nonce" "$__cloche_n" "$__cloche_t" "$!" >&48;
  builtin return "$__cloche_s";
};
__cloche_guard() {
  case $-:$BASH_COMMAND in
    *e*:"builtin eval \"\$__cloche\""*) __cloche_e=e; builtin set +e;;
  esac;
};
__cloche_resume() {
  __cloche_t=$__cloche_f; __cloche_f=;
  builtin set "-$__cloche_t"; builtin return "$__cloche_s";
} 2>/dev/null;
__cloche_end() {
  __cloche_s=$?; __cloche_t=$-$__cloche_e$__cloche_f; builtin set +euvx; __cloche=0;
  if [[ $PWD -ef . ]]; then __cloche=1; fi;
  if [[ $__cloche_s == [12] ]]; then builtin eval 'for do }'; fi;
  builtin printf '\036%s;D;%s;%s;%s;%s;%s\0' "$__cloche_nonce" "$__cloche_n"
    "$__cloche_s" "$__cloche_t" "$__cloche" "$PWD" >&48;
};
__cloche_environment() {
  __cloche=$(builtin export -p); builtin printf '%s%n' "$__cloche" __cloche_t;
  if [[ $__cloche_t -gt ${ENVIRONMENT_BYTES} ]]; then __cloche=; fi;
  builtin printf '\036%s;V;%s;%s;%s\0' "$__cloche_nonce" "$__cloche_n"
    "$__cloche_t" "$__cloche" >&48;
};
builtin trap 'builtin shopt -s extdebug; builtin trap '\''
  case $BASH_COMMAND in
    *__cloche*) builtin trap - DEBUG; builtin shopt -u extdebug;;
    *) ! builtin break;;
  esac 2>/dev/null'\'' DEBUG' ${SKIP_SIGNAL};
builtin trap '{ __cloche_guard; } 2>/dev/null' ERR;
BASH_ARGV0=bash; builtin shopt -s expand_aliases;
exec 48>&1 49<&0 </dev/null; IFS= builtin read -r -d '' __cloche_nonce <&49;
IFS= builtin read -r -d '' __cloche <&49; IFS= builtin read -r -d '' __cloche_n <&49;
builtin cd -- "$__cloche" 2>/dev/null || builtin cd -- "$__cloche_n" 2>/dev/null;
if [[ ! -v COLUMNS ]]; then COLUMNS=${DEFAULT_SIZE.columns}; fi;
if [[ ! -v LINES ]]; then LINES=${DEFAULT_SIZE.lines}; fi;
builtin printf '\036%s;R;%s\0' "$__cloche_nonce" "$$" >&48;
while IFS= builtin read -r -d '' __cloche_n <&49; do
  IFS= builtin read -r -d '' __cloche_s <&49; IFS= builtin read -r -d '' __cloche <&49;
  if [[ $__cloche_s == environment ]]; then
    { __cloche_environment; } >/dev/null 2>&1;
  elif [[ $__cloche_s == reap ]]; then
    builtin jobs >/dev/null 2>&1;
  elif [[ $__cloche_s == export ]]; then
    builtin declare -gx "$__cloche" >/dev/null 2>&1;
  else
    __cloche_e=; __cloche_f=;
    if [[ $__cloche_s == *:* ]]; then
      IFS=: builtin read -r __cloche_s __cloche_f <<<"$__cloche_s";
      if [[ $__cloche_s == 0 ]]; then __cloche="__cloche_resume;$__cloche";
      else __cloche="__cloche_resume&&:;$__cloche"; fi;
      if [[ $__cloche_f == *[ev]* ]]; then case $__cloche_f:$(builtin trap -p ERR) in
        *v*:*__cloche*) builtin trap - ERR;;
        *e*:) builtin trap '{ __cloche_guard; } 2>/dev/null' ERR;;
      esac; fi;
    fi;
    { __cloche_begin && builtin :; } >/dev/null 2>&1;
    for __cloche_once in 1; do builtin eval "$__cloche" 48>&- 49<&-; done;
    { __cloche_end; } >/dev/null 2>&1;
  fi;
done; builtin exit`);

/**
 * Holds the shell and says how it ended, whatever ended it (`exit`, `exec`, a signal, an EXIT trap
 * of the agent), even if processes that it left behind keep the stream open.
 */
const HOLDER = oneLine(String.raw`
{ IFS= read -r -d '' nonce; /bin/bash --noprofile --norc -s 2>&1;
  printf '\036%s;E;%s\0' "$nonce" "$?"; exit; }`);

/** Runs a background command. */
const JOB = oneLine(String.raw`
{ IFS= read -r -d '' __cloche_nonce; IFS= read -r -d '' __cloche_env;
  IFS= read -r -d '' __cloche_cwd; IFS= read -r -d '' __cloche;
  printf '\036%s;R;%s\0' "$__cloche_nonce" "$$"; BASH_ARGV0=bash;
  ( builtin shopt -s expand_aliases; builtin eval "$__cloche_env" 2>/dev/null;
    builtin unset __cloche_env __cloche_nonce; builtin cd -- "$__cloche_cwd";
    builtin eval "$__cloche" ) 2>&1;
  printf '\036%s;E;%s\0' "$__cloche_nonce" "$?"; exit; }`);

/**
 * Bash is handed our scripts on its standard input, so that a list of processes shows no more than
 * this. What cannot be sought in, it reads byte by byte: it takes its one line and leaves the rest.
 */
const BASH = ["/bin/bash", "--noprofile", "--norc", "-s"] as const;

/** A program of ours; of its standard input this comes first. */
export interface Program {
  readonly argv: readonly string[];
  opening(nonce: string): string;
}

/** Then two directories, and commands. */
export const SHELL_PROGRAM: Program = {
  argv: BASH,
  opening: (nonce) => `${HOLDER}\n${nonce}\0${SHELL}\n${nonce}\0`,
};
/** Then an environment, a directory, the command, and the job's input. */
export const JOB_PROGRAM: Program = {
  argv: BASH,
  opening: (nonce) => `${JOB}\n${nonce}\0`,
};

/** What every shell and job has in its environment, beside what the engine gives. */
export const TERMINAL_ENV: Readonly<Record<string, string>> = {
  TERM: "dumb",
  PAGER: "cat",
  GIT_PAGER: "cat",
  // Keeps byte code out of the workspace, whose content is judged.
  PYTHONPYCACHEPREFIX: "/tmp/pycache",
};

function oneLine(script: string): string {
  return script.replace(/\s*\n\s*/g, " ").trim();
}
