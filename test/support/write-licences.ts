import { writeFileSync } from "node:fs";
import { licencesPage } from "./licences-page.ts";

writeFileSync("servers/LICENSES.md", await licencesPage());
