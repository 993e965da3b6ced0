/** How the page at /docs looks, by day and by night. */
export const DOCS_STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --link: light-dark(#0b57d0, #8ab4f8); }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 small { font-size: .5em; font-weight: normal; opacity: .7; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin: 0 0 .5rem; font-size: 1.1rem; }
h4 { margin: 1rem 0 .3rem; font-size: .9rem; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
code { font: .92em ui-monospace, monospace; background: var(--soft); padding: .05em .3em; border-radius: 3px; }
em { font-style: normal; font-size: .8em; opacity: .7; }
nav ul { list-style: none; padding: 0; }
nav li { padding: .15rem 0; }
nav b { display: inline-block; width: 4.5rem; font: 600 .85em ui-monospace, monospace; }
nav span { opacity: .7; margin-left: .5rem; }
section { border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0; overflow-x: auto; }
section:target, tr:target { outline: 2px solid var(--link); }
b.GET, b.POST, b.DELETE { font: 600 .85em ui-monospace, monospace; padding: .15em .5em; border-radius: 4px; color: #fff; }
b.GET { background: #1a7f4b; } b.POST { background: #0b57d0; } b.DELETE { background: #b3261e; }
table { border-collapse: collapse; width: 100%; font-size: .93em; }
td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-top: 1px solid var(--line); }
th { font-weight: 600; border-top: 0; }
dl { display: grid; grid-template-columns: 4rem 1fr; gap: .3rem; margin: 0; }
dd { margin: 0; }
`;
