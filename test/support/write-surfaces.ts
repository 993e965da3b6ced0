import { writeFileSync } from "node:fs";
import { surfacesPage } from "./surfaces-page.ts";

writeFileSync("docs/surfaces.md", await surfacesPage());
