/** What Word may write, and what a reader of the text sees. */
export interface WordCase {
  readonly name: string;
  readonly body: string;
  readonly notes?: Readonly<Record<string, string>>;
  /** Paragraphs that hold something, with all changes accepted. */
  readonly final: readonly string[];
  readonly tables?: readonly (readonly (readonly string[])[])[];
  /** With all changes rejected; default: as `final`. */
  readonly original?: readonly string[];
  readonly originalTables?: readonly (readonly (readonly string[])[])[];
}

export const BY = 'w:id="1" w:author="Uma Holt" w:date="2026-03-02T09:00:00Z"';
export const r = (text: string, tag = "w:t") =>
  `<w:r><${tag} xml:space="preserve">${text}</${tag}></w:r>`;
export const p = (content: string, properties = "") =>
  `<w:p><w:pPr>${properties}</w:pPr>${content}</w:p>`;
export const ins = (content: string) => `<w:ins ${BY}>${content}</w:ins>`;
export const del = (text: string) => `<w:del ${BY}>${r(text, "w:delText")}</w:del>`;
export const mark = (name: string) => `<w:rPr><w:${name} ${BY}/></w:rPr>`;
export const sdt = (content: string) =>
  `<w:sdt><w:sdtPr><w:alias w:val="Unseen"/></w:sdtPr><w:sdtContent>${content}</w:sdtContent></w:sdt>`;
export const tc = (content: string, properties = "") =>
  `<w:tc><w:tcPr>${properties}</w:tcPr>${content}</w:tc>`;
export const cell = (text: string, properties = "") => tc(p(r(text)), properties);
export const tr = (cells: string, properties = "") =>
  `<w:tr><w:trPr>${properties}</w:trPr>${cells}</w:tr>`;
export const tbl = (rows: string) => `<w:tbl><w:tblPr/><w:tblGrid/>${rows}</w:tbl>`;
export const field = (kind: string) => `<w:r><w:fldChar w:fldCharType="${kind}"/></w:r>`;
export const instruction = (text: string) => r(text, "w:instrText");
export const box = (content: string) =>
  `<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx><w:txbxContent>${content}</w:txbxContent></wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent>${content}</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>`;
export const oldBox = (content: string) =>
  `<w:r><w:pict><v:shape><v:textbox><w:txbxContent>${content}</w:txbxContent></v:textbox></v:shape></w:pict></w:r>`;
