import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { canonicalJson } from "../../runtime/base/canonical-json.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import type { Grade } from "../../runtime/grading/grade.ts";
import { gradeBytes } from "../../runtime/grading/grade-run.ts";
import type { Manifest } from "../../runtime/store/manifest.ts";
import { overwrite } from "./bundle-folders.ts";

/** Rewrites parts of a copy and makes the hashes right again. */
export class Forge {
  readonly #root: string;
  #manifest: Manifest;

  constructor(root: string) {
    this.#root = root;
    this.#manifest = JSON.parse(this.read("manifest.json")) as Manifest;
  }

  read(path: string): string {
    return readFileSync(join(this.#root, path), "utf8");
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.#root, path)), { recursive: true });
    overwrite(this.#root, path, Buffer.from(text));
    this.remove(path, false);
    const part = { path, bytes: Buffer.byteLength(text), sha256: sha256(text) };
    const parts = [...this.#manifest.parts, part].sort((a, b) => (a.path < b.path ? -1 : 1));
    this.#manifest = { ...this.#manifest, parts };
  }

  remove(path: string, fromDisk = true): void {
    const full = join(this.#root, path);
    if (fromDisk) rmSync(full);
    if (fromDisk && readdirSync(dirname(full)).length === 0)
      rmSync(dirname(full), { recursive: true });
    const parts = this.#manifest.parts.filter((part) => part.path !== path);
    this.#manifest = { ...this.#manifest, parts };
  }

  grade(change: (grade: Grade) => Grade): void {
    this.write("grade.json", gradeBytes(change(JSON.parse(this.read("grade.json")))).toString());
  }

  manifest(change: (manifest: Manifest) => Manifest): void {
    this.#manifest = change(this.#manifest);
  }

  seal(): void {
    const text = canonicalJson(this.#manifest);
    overwrite(this.#root, "manifest.json", Buffer.from(text));
    overwrite(this.#root, "manifest.sha256", Buffer.from(`${sha256(text)}  manifest.json\n`));
  }
}
