/** Tags that stand on lines of their own. */
const BLOCKS = new Set(
  "address article aside blockquote center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr ul".split(
    " ",
  ),
);
const HIDDEN = new Set(["head", "script", "style", "title", "template", "noscript"]);
const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", ensp: " ", emsp: " " },
  ...{ thinsp: " ", zwnj: "", zwj: "", shy: "", hellip: "…", ndash: "–", mdash: "—", bull: "•" },
  ...{ lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", sbquo: "‚", bdquo: "„", laquo: "«" },
  ...{ raquo: "»", copy: "©", reg: "®", trade: "™", euro: "€", pound: "£", yen: "¥", cent: "¢" },
  ...{ sect: "§", para: "¶", deg: "°", plusmn: "±", times: "×", middot: "·", frac12: "½" },
  ...{ auml: "ä", ouml: "ö", uuml: "ü", Auml: "Ä", Ouml: "Ö", Uuml: "Ü", szlig: "ß" },
  ...{ aacute: "á", eacute: "é", iacute: "í", oacute: "ó", uacute: "ú", ntilde: "ñ" },
  ...{ agrave: "à", egrave: "è", igrave: "ì", ograve: "ò", ugrave: "ù", ccedil: "ç" },
  ...{ acirc: "â", ecirc: "ê", icirc: "î", ocirc: "ô", ucirc: "û", aring: "å", oslash: "ø" },
  ...{ Aacute: "Á", Eacute: "É", Ntilde: "Ñ", Agrave: "À", Egrave: "È", Ccedil: "Ç", aelig: "æ" },
};

/** What a reader of an HTML mail sees, as plain text. Linear in its length, whatever it nests. */
export function htmlText(html: string): string {
  const parts: string[] = [];
  let link: string | undefined;
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    parts.push(plain(html.slice(at, open === -1 ? html.length : open)));
    if (open === -1) break;
    if (html.startsWith("<!--", open)) {
      const end = html.indexOf("-->", open);
      at = end === -1 ? html.length : end + 3;
      continue;
    }
    const close = html.indexOf(">", open);
    if (close === -1) break;
    at = close + 1;
    const tag = html.slice(open, Math.min(at, open + 4_000));
    const name = /^<\/?([A-Za-z][A-Za-z0-9]*)/.exec(tag)?.[1]?.toLowerCase() ?? "";
    const isEnd = tag.startsWith("</");
    if (HIDDEN.has(name) && !isEnd) {
      at = endOfHidden(html, at, name);
    } else if (name === "a") {
      if (isEnd && link !== undefined) parts.push(` <${link}>`);
      link = isEnd ? undefined : linkOf(tag);
    } else {
      parts.push(markOf(name, isEnd, tag));
    }
  }
  return tidy(parts.join(""));
}

function endOfHidden(html: string, from: number, name: string): number {
  const end = new RegExp(`</${name}[^>]{0,100}>`, "gi");
  end.lastIndex = from;
  const found = end.exec(html);
  return found === null ? html.length : end.lastIndex;
}

function markOf(name: string, isEnd: boolean, tag: string): string {
  if (name === "br") return "\n";
  if (name === "hr") return "\n----\n";
  if (name === "li") return isEnd ? "" : "\n- ";
  if (name === "td" || name === "th") return isEnd ? "\t" : "";
  if (name === "p") return "\n\n";
  if (name === "img") {
    const said = /\salt\s*=\s*"([^"]{1,300})"/i.exec(tag)?.[1];
    return said === undefined ? "" : `[${plain(said)}]`;
  }
  return BLOCKS.has(name) ? "\n" : "";
}

function linkOf(tag: string): string | undefined {
  const target = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(tag);
  const url = plain((target?.[1] ?? target?.[2] ?? target?.[3] ?? "").trim());
  return /^(https?|mailto):/i.test(url) ? url : undefined;
}

function plain(text: string): string {
  return text
    .replace(/[ \t\r\n\f]+/g, " ")
    .replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,10});?/gi, (whole, name: string) => {
      if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
      const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : whole;
    });
}

function tidy(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/[ \u00a0]+/g, " ").trim());
  return lines
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
