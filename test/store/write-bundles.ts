import { writeBundle } from "../../runtime/store/bundle-writer.ts";
import { openDataFolder } from "../../runtime/store/data-folder.ts";
import { RecordStore } from "../../runtime/store/records.ts";
import { sampleContents, sampleRecord } from "./samples.ts";

/** Started by data-folder.test.ts, which kills it: writes records and bundles without end. */
const folder = await openDataFolder(process.argv[2] ?? "");
using records = await RecordStore.open(folder.database);
for (let variant = 1; ; variant++) {
  await records.put(sampleRecord({ id: `r${process.pid}-${variant}` }));
  const { contents, blobs } = await sampleContents(folder.path);
  const facts = { ...contents.facts, variant: process.pid * 1000 + variant };
  await writeBundle(folder.bundles, { ...contents, facts }, blobs);
  process.stdout.write("one more\n");
}
