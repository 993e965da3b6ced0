import { textOf } from "./pieces.ts";
import type { WordFile } from "./word-file.ts";
import { attr, childrenOf, descendants, type Element, elements, nameOf } from "./xml.ts";

export interface Comment {
  readonly id: string;
  readonly author: string;
  readonly date: string;
  readonly text: string;
  /** The words of the document that it is about. */
  readonly about: string;
  /** The id of the comment that it answers. */
  readonly answers: string | undefined;
  readonly resolved: boolean;
  /** The paragraph where it begins. */
  readonly paragraph: Element | undefined;
}

export function commentsOf(file: WordFile): Comment[] {
  const part = file.related("comments");
  const root = part === undefined ? null : file.part(part).documentElement;
  if (root === null) return [];
  const threads = threadsOf(file);
  const anchors = anchorsOf(file);
  const all = childrenOf(root, "w:comment");
  const owners = new Map(all.flatMap((c) => paragraphIds(c).map((id) => [id, attr(c, "w:id")])));
  return all.map((comment) => {
    const id = attr(comment, "w:id") ?? "";
    const thread = threads.get(paragraphIds(comment).at(-1) ?? "");
    const place = anchors.get(id) ?? { about: "", paragraph: undefined };
    return {
      ...{ id, author: attr(comment, "w:author") ?? "", date: attr(comment, "w:date") ?? "" },
      text: descendants(comment, "w:p").map(textOf).join("\n"),
      answers: thread?.parent === undefined ? undefined : owners.get(thread.parent),
      resolved: thread?.done ?? false,
      ...place,
    };
  });
}

/** The ids that threads go by. */
export function paragraphIds(comment: Element): string[] {
  return descendants(comment, "w:p").flatMap((p) => attr(p, "w14:paraId") ?? []);
}

export interface Thread {
  readonly parent: string | undefined;
  readonly done: boolean;
  readonly element: Element;
}

/** What is known of the threads that comments stand in, by paragraph id. */
export function threadsOf(file: WordFile): Map<string, Thread> {
  const part = file.related("commentsExtended");
  const root = part === undefined ? null : file.part(part).documentElement;
  const all = root === null ? [] : elements(root);
  return new Map(
    all.map((element) => {
      const [parent, done] = [attr(element, "w15:paraIdParent"), attr(element, "w15:done")];
      const facts = { parent, done: done === "1" || done === "true", element };
      return [attr(element, "w15:paraId") ?? "", facts];
    }),
  );
}

interface Anchor {
  readonly about: string;
  readonly paragraph: Element | undefined;
}

/** Where comments hang: the words between their marks, and the paragraph where they begin. */
function anchorsOf(file: WordFile): Map<string, Anchor> {
  const found = new Map<string, Anchor>();
  const open = new Set<string>();
  const visit = (parent: Element, own: Element | undefined) => {
    for (const node of elements(parent)) {
      const name = nameOf(node);
      const id = name.startsWith("w:comment") ? (attr(node, "w:id") ?? "") : "";
      if (name === "w:commentRangeEnd") open.delete(id);
      else if (name === "w:commentRangeStart" || name === "w:commentReference") {
        if (name === "w:commentRangeStart") open.add(id);
        if (!found.has(id)) found.set(id, { about: "", paragraph: own });
      } else if (name === "w:t" && open.size > 0) {
        for (const one of open) {
          const { about = "", paragraph } = found.get(one) ?? {};
          const text = about.length < 500 ? about + (node.textContent ?? "") : about;
          found.set(one, { about: text.slice(0, 500), paragraph });
        }
      } else visit(node, name === "w:p" ? node : own);
    }
  };
  visit(file.body, undefined);
  return found;
}
