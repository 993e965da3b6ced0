import { existsSync, readFileSync } from "node:fs";
import type { PDFDocument, PDFField, PDFForm } from "pdf-lib";
import { nearest } from "../../kit/people/nearest.ts";
import { ToolError } from "../../kit/tool-error.ts";

export interface FormField {
  readonly name: string;
  readonly kind: "text" | "checkbox" | "choice" | "radio" | "button" | "signature";
  /** A tick is "yes" or "no"; several choices are parted by commas. */
  readonly value: string;
  readonly options?: readonly string[];
  readonly readOnly?: boolean;
  readonly required?: boolean;
}

/** Opens a PDF for its form. @throws ToolError if it cannot be changed safely. */
async function formOf(bytes: Uint8Array): Promise<{ file: PDFDocument; form: PDFForm }> {
  const { PDFDocument } = await import("pdf-lib");
  const file = await PDFDocument.load(bytes, { updateMetadata: false }).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    if (/encrypted/i.test(why)) {
      throw new ToolError(
        "The PDF is protected by a password; its form cannot be filled. Ask for a copy without.",
        { cause },
      );
    }
    throw new ToolError("The file is no readable PDF; it may be damaged or cut short.", { cause });
  });
  const form = file.getForm();
  if (form.hasXFA() && form.getFields().length === 0) {
    throw new ToolError(
      "The form is of the kind XFA, which only Adobe's programs fill. Ask for an ordinary PDF form.",
    );
  }
  return { file, form };
}

export async function readForm(bytes: Uint8Array): Promise<FormField[]> {
  const { form } = await formOf(bytes);
  const kinds = await fieldKinds();
  return form.getFields().map((field) => fieldOf(field, kinds));
}

type Kinds = Awaited<ReturnType<typeof fieldKinds>>;

async function fieldKinds() {
  const lib = await import("pdf-lib");
  const { PDFTextField, PDFCheckBox, PDFDropdown, PDFOptionList, PDFRadioGroup, PDFButton } = lib;
  return { PDFTextField, PDFCheckBox, PDFDropdown, PDFOptionList, PDFRadioGroup, PDFButton };
}

function fieldOf(field: PDFField, kinds: Kinds): FormField {
  const marks = {
    ...(field.isReadOnly() && { readOnly: true }),
    ...(field.isRequired() && { required: true }),
  };
  const name = field.getName();
  if (field instanceof kinds.PDFTextField) {
    return { name, kind: "text", value: field.getText() ?? "", ...marks };
  }
  if (field instanceof kinds.PDFCheckBox) {
    return { name, kind: "checkbox", value: field.isChecked() ? "yes" : "no", ...marks };
  }
  if (field instanceof kinds.PDFDropdown || field instanceof kinds.PDFOptionList) {
    const [value, options] = [field.getSelected().join(", "), field.getOptions()];
    return { name, kind: "choice", value, options, ...marks };
  }
  if (field instanceof kinds.PDFRadioGroup) {
    const [value, options] = [field.getSelected() ?? "", field.getOptions()];
    return { name, kind: "radio", value, options, ...marks };
  }
  const kind = field instanceof kinds.PDFButton ? "button" : "signature";
  return { name, kind, value: "", ...marks };
}

/** Fills fields; all or none. Gives the new bytes and the fields as they are now. */
export async function fillForm(
  bytes: Uint8Array,
  values: Readonly<Record<string, string>>,
  { flatten, now }: { readonly flatten: boolean; readonly now: Date },
): Promise<{ bytes: Uint8Array; fields: FormField[] }> {
  const { file, form } = await formOf(bytes);
  const kinds = await fieldKinds();
  const fields = form.getFields();
  if (fields.length === 0) throw new ToolError("The PDF has no form fields. Nothing was changed.");
  for (const [name, value] of Object.entries(values)) {
    const field = fields.find((one) => one.getName() === name);
    if (field === undefined) throw unknownField(name, fields);
    fillOne(field, value, kinds);
  }
  if (form.hasXFA()) form.deleteXFA();
  await drawFields(file, form, Object.values(values).join(""));
  const now_ = fields.map((field) => fieldOf(field, kinds));
  if (flatten) form.flatten({ updateFieldAppearances: false });
  file.setModificationDate(now);
  return { bytes: await file.save({ updateFieldAppearances: false }), fields: now_ };
}

function unknownField(name: string, fields: readonly PDFField[]): ToolError {
  const names = fields.map((one) => one.getName());
  const close = nearest(name, names);
  const hint = close === undefined ? "" : ` Did you mean "${close}"?`;
  return new ToolError(
    `The form has no field "${name}".${hint} It has: ${names.slice(0, 60).join(", ")}. ` +
      "Nothing was changed.",
  );
}

function fillOne(field: PDFField, value: string, kinds: Kinds): void {
  const name = field.getName();
  if (field.isReadOnly()) {
    throw new ToolError(`The field "${name}" is read-only. Nothing was changed.`);
  }
  if (field instanceof kinds.PDFTextField) {
    const most = field.getMaxLength();
    if (most !== undefined && value.length > most) {
      throw new ToolError(
        `The field "${name}" takes ${most} letters; the value has ${value.length}. ` +
          "Nothing was changed.",
      );
    }
    field.setText(value);
  } else if (field instanceof kinds.PDFCheckBox) tick(field, value);
  else if (field instanceof kinds.PDFRadioGroup) {
    if (value === "") field.clear();
    else field.select(option(name, value, field.getOptions()));
  } else if (field instanceof kinds.PDFDropdown || field instanceof kinds.PDFOptionList) {
    const free = field instanceof kinds.PDFDropdown && field.isEditable();
    const asked = field instanceof kinds.PDFOptionList ? value.split(/,\s*/) : [value];
    if (value === "") field.clear();
    else field.select(free ? asked : asked.map((one) => option(name, one, field.getOptions())));
  } else throw new ToolError(`The field "${name}" is a button or a signature; it takes no value.`);
}

function tick(field: { getName(): string; check(): void; uncheck(): void }, value: string): void {
  const said = value.trim().toLowerCase();
  if (["yes", "true", "on", "x", "1"].includes(said)) field.check();
  else if (["no", "false", "off", "", "0"].includes(said)) field.uncheck();
  else {
    throw new ToolError(
      `The field "${field.getName()}" is a checkbox: give "yes" or "no", not "${value}". ` +
        "Nothing was changed.",
    );
  }
}

function option(name: string, value: string, options: readonly string[]): string {
  if (options.includes(value)) return value;
  const same = options.find((one) => one.toLowerCase() === value.trim().toLowerCase());
  if (same !== undefined) return same;
  throw new ToolError(
    `The field "${name}" takes one of: ${options.join(", ")}; not "${value}". Nothing was changed.`,
  );
}

/** Draws what fields hold, in a font that has the letters. */
async function drawFields(file: PDFDocument, form: PDFForm, text: string): Promise<void> {
  const { StandardFonts } = await import("pdf-lib");
  const usual = await file.embedFont(StandardFonts.Helvetica);
  const known = new Set(usual.getCharacterSet());
  const all = [...text].every(
    (letter) => /\s/.test(letter) || known.has(letter.codePointAt(0) ?? 0),
  );
  const path = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
  if (all || !existsSync(path)) {
    form.updateFieldAppearances(usual);
    return;
  }
  const { default: fontkit } = await import("@pdf-lib/fontkit");
  file.registerFontkit(fontkit);
  const wide = await file.embedFont(readFileSync(path), { customName: "DejaVuSans", subset: true });
  form.updateFieldAppearances(wide);
}
