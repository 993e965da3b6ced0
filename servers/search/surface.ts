import type { Surface } from "../kit/surface.ts";
import { Corpora } from "./corpora.ts";
import { fetchDocument, listCorpora, searchDocuments } from "./tools.ts";

/** Full-text search over what the fixture brought: `/state/search/<corpus>/`. */
export const searchSurface: Surface = (world) => {
  const corpora = new Corpora(() => world.stateOf("search"));
  return {
    name: "search",
    title: "Search",
    instructions:
      "Searches collections of documents (corpora) such as a knowledge base. Find documents with " +
      "search_documents, then read one whole with fetch_document. Nothing here can be changed.",
    tools: [listCorpora(corpora), searchDocuments(corpora), fetchDocument(corpora)],
  };
};
