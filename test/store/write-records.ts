import { RecordStore } from "../../runtime/store/records.ts";
import { sampleRecord } from "./samples.ts";

/** Started by records.test.ts: stores records and says the id of each once it is stored. */
const [path = "", name = "", how] = process.argv.slice(2);
using store = await RecordStore.open(path);
for (let index = 0; how === "forever" || index < 20; index++) {
  const id = `r${name}-${index}`;
  await store.put(sampleRecord({ id }));
  process.stdout.write(`${id}\n`);
}
