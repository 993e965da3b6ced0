import { storeFault } from "./faults.ts";
import type { RolloutRecord } from "./record.ts";
import type { RecordStore } from "./records.ts";

const LETTERS = /^[0-9a-z-]{4,100}$/;
const SHOWN = 5;

/**
 * The record that a person means by the first letters (four at least) of the id of a rollout or of
 * its bundle. Rejects with `store/record-missing` or `store/record-ambiguous`.
 */
export async function findRecord(records: RecordStore, text: string): Promise<RolloutRecord> {
  const found = LETTERS.test(text) ? await records.withPrefix(text, SHOWN + 1) : [];
  const [first, ...others] = found;
  if (first === undefined) {
    const message =
      `no record in ${records.path} fits "${text}": ` +
      "give at least four letters of the id of a rollout or bundle";
    throw storeFault("record-missing", message, { detail: { asked: text } });
  }
  const exact = found.find(({ id, bundle }) => id === text || bundle === text);
  if (exact !== undefined || others.length === 0) return exact ?? first;
  const ids = found.slice(0, SHOWN).map(({ id }) => id);
  const shown = `${ids.join(", ")}${found.length > SHOWN ? ", …" : ""}`;
  const message = `"${text}" fits several rollouts (${shown}): give more letters of the id`;
  throw storeFault("record-ambiguous", message, { detail: { asked: text, ids } });
}
