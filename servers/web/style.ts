/** One sheet for all sites; `--accent` is each site's own. */
export function styleSheet(accent: string): string {
  return `:root { --accent: ${accent}; --line: #d5d9de; --quiet: #59636e; --wrong: #b3261e; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1c2126; background: #f6f7f8; }
a { color: var(--accent); }
header { background: #fff; border-bottom: 3px solid var(--accent); }
.bar, header nav, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
.bar { display: flex; justify-content: space-between; align-items: center; gap: 1rem; flex-wrap: wrap; padding-top: .75rem; }
.brand { margin: 0; } .brand a { font-size: 1.5rem; font-weight: 700; text-decoration: none; margin-right: .5rem; }
.who { display: flex; gap: .75rem; align-items: center; } .who form { margin: 0; }
header nav ul { display: flex; flex-wrap: wrap; gap: 1.25rem; list-style: none; margin: 0; padding: .6rem 0 .8rem; }
main { padding-top: 1rem; padding-bottom: 2rem; min-height: 60vh; }
footer { color: var(--quiet); border-top: 1px solid var(--line); padding-bottom: 2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: .6rem 0 1rem; } h2 { font-size: 1.2rem; margin: 1.6rem 0 .6rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
.quiet, .hint { color: var(--quiet); } .hint { margin: 0 0 .25rem; font-size: .9rem; }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 0; }
table { width: 100%; border-collapse: collapse; background: #fff; border: 1px solid var(--line); margin: 0 0 1rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
h2 + table caption { position: absolute; left: -100rem; }
th, td { text-align: left; padding: .5rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { background: #eef0f2; } td form { margin: 0; display: inline; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 0 0 1rem; }
dt { color: var(--quiet); } dd { margin: 0; }
.card, form.panel, aside { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: 1rem 1.25rem; margin: 0 0 1rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; list-style: none; padding: 0; margin: 0 0 1rem; }
.grid > li { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: 1rem; }
.grid p { margin: 0 0 .35rem; }
.split { display: grid; grid-template-columns: 15rem 1fr; gap: 1.5rem; align-items: start; }
.halves { display: grid; grid-template-columns: 3fr 2fr; gap: 1.5rem; align-items: start; }
.halves > *, .split > * { min-width: 0; }
.tile { display: flex; align-items: center; justify-content: center; height: 6rem; border-radius: 4px; background: #e7ebef; color: var(--accent); font-size: 1.6rem; font-weight: 700; margin-bottom: .6rem; }
.field { margin: 0 0 .9rem; border: 0; padding: 0; min-width: 0; } .field label, legend { font-weight: 600; padding: 0; }
.choice { margin: .2rem 0; } .choice label { font-weight: 400; }
input:not([type=radio]):not([type=checkbox]), select, textarea { display: block; width: 100%; max-width: 28rem; font: inherit; padding: .4rem .55rem; border: 1px solid #8a939c; border-radius: 4px; background: #fff; }
td input:not([type=radio]):not([type=checkbox]) { width: 6rem; display: inline-block; } input[type=number] { max-width: 8rem; }
button { font: inherit; font-weight: 600; padding: .45rem 1rem; border: 1px solid var(--accent); border-radius: 4px; background: var(--accent); color: #fff; cursor: pointer; }
a.button { display: inline-block; font-weight: 600; padding: .45rem 1rem; border-radius: 4px; background: var(--accent); color: #fff; text-decoration: none; }
button.second { background: #fff; color: var(--accent); } .who button { padding: .2rem .6rem; font-weight: 400; }
form.line { display: flex; gap: .5rem; align-items: end; flex-wrap: wrap; } form.line .field { margin: 0; flex: 1 1 12rem; }
.wrong { border-left: 4px solid var(--wrong); padding-left: .75rem; } .error { color: var(--wrong); font-weight: 600; margin: 0 0 .25rem; }
.alert { border: 2px solid var(--wrong); border-radius: 6px; background: #fff; padding: .75rem 1.25rem; margin: 0 0 1.25rem; } .alert h2 { margin: 0; } .alert ul { margin: .4rem 0; } .alert a { color: var(--wrong); }
.notice { border-left: 4px solid #1d7a46; background: #e8f5ed; padding: .6rem 1rem; margin: 0 0 1rem; }
.price { font-weight: 700; font-size: 1.1rem; } .good { color: #1d7a46; } .warn { color: #8a5300; } .bad { color: var(--wrong); }
.number { text-align: right; } .pages { display: flex; gap: 1rem; align-items: center; margin: 1rem 0; }
.total { font-size: 1.15rem; font-weight: 700; }
@media (max-width: 50rem) { .split, .halves { grid-template-columns: 1fr; } }
`;
}
