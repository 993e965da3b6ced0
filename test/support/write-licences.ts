import { writeFileSync } from "node:fs";
import { licencesPage } from "./licences-page.ts";

writeFileSync("images/servers/LICENSES.md", await licencesPage());
