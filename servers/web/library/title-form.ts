import { html } from "hono/html";
import type { Form } from "../form.ts";
import { inputField, type Markup, textField } from "../markup.ts";
import type { Title } from "./data.ts";

export type TitleFields = ReturnType<typeof titleOfForm>;

/** The fields of a catalogue record, empty or as they are. */
export function titleForm(title: Title | undefined, form: Form | undefined): Markup {
  const year = title?.year ?? "";
  const subjects = title?.subjects.join("; ") ?? "";
  return html`
    ${inputField({ name: "title", label: "Title", required: true, value: title?.title ?? "" }, form)}
    ${inputField({ name: "author", label: "Author", required: true, value: title?.author ?? "", hint: "As Surname, First name." }, form)}
    ${inputField({ name: "isbn", label: "ISBN", value: title?.isbn ?? "", hint: "10 or 13 digits." }, form)}
    ${inputField({ name: "year", label: "Year", type: "number", value: year }, form)}
    ${inputField({ name: "publisher", label: "Publisher", value: title?.publisher ?? "" }, form)}
    ${inputField({ name: "format", label: "Format", required: true, value: title?.format ?? "Book" }, form)}
    ${inputField({ name: "language", label: "Language", required: true, value: title?.language ?? "English" }, form)}
    ${inputField({ name: "subjects", label: "Subjects", value: subjects, hint: "Separated by semicolons." }, form)}
    ${textField({ name: "description", label: "Description", value: title?.description ?? "" }, form)}`;
}

/** The record that was sent; what is wrong with it is in the form. */
export function titleOfForm(form: Form, others: readonly Title[]) {
  const year = form.text("year", "a year", { max: 4, optional: true });
  if (year !== "" && !/^\d{3,4}$/.test(year)) form.problem("year", "Enter a year such as 2024.");
  const isbn = form.text("isbn", "the ISBN", { max: 20, optional: true });
  if (isbn !== "" && !isIsbn(isbn)) {
    form.problem("isbn", "Enter an ISBN of 10 or 13 digits; its last digit does not fit now.");
  }
  const same = others.find((each) => isbn !== "" && digits(each.isbn) === digits(isbn));
  if (same !== undefined) form.problem("isbn", `“${same.title}” has this ISBN already.`);
  const subjects = form.text("subjects", "the subjects", { max: 500, optional: true });
  return {
    title: form.text("title", "a title", { max: 300 }),
    author: form.text("author", "an author"),
    isbn,
    year: year === "" ? null : Number(year),
    publisher: form.text("publisher", "the publisher", { optional: true }),
    format: form.text("format", "a format", { max: 60 }),
    language: form.text("language", "a language", { max: 60 }),
    subjects: subjects
      .split(";")
      .map((each) => each.trim())
      .filter((each) => each !== ""),
    description: form.text("description", "the description", { max: 4000, optional: true }),
  };
}

/** Whether it has the length of an ISBN, and the check digit that it should have. */
function isIsbn(text: string): boolean {
  const all = digits(text);
  if (/^\d{13}$/.test(all)) {
    const sum = [...all].reduce((total, digit, at) => total + Number(digit) * (at % 2 ? 3 : 1), 0);
    return sum % 10 === 0;
  }
  if (!/^\d{9}[\dX]$/.test(all)) return false;
  const value = (digit: string) => (digit === "X" ? 10 : Number(digit));
  return [...all].reduce((total, digit, at) => total + value(digit) * (10 - at), 0) % 11 === 0;
}

function digits(isbn: string): string {
  return isbn.replaceAll(/[\s-]/g, "").toUpperCase();
}
