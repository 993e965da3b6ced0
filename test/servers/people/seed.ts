import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type OfficeClient, officeClient } from "../office-client.ts";

const PEOPLE = {
  me: "ana.ruiz@example.test",
  people: [
    { name: "Ana Ruiz", email: "ana.ruiz@example.test", kind: "person", timezone: "Europe/Madrid" },
    { name: "Ben Ode", email: "ben.ode@example.test", kind: "person", timezone: "Europe/London" },
    { name: "Chi Lê", email: "chi.le@example.test", kind: "person", timezone: "America/New_York" },
    {
      name: "Room Azul",
      email: "azul@rooms.test",
      kind: "room",
      timezone: "Europe/Madrid",
      capacity: 6,
    },
    {
      name: "Room Verde",
      email: "verde@rooms.test",
      kind: "room",
      timezone: "Europe/Madrid",
      capacity: 20,
    },
  ],
} as const;

/** Monday, 10:00 in Madrid; the process of the servers keeps it. */
export const NOW = "2026-03-02T09:00:00Z";

const CLOCK = fileURLToPath(new URL("./fixed-clock.mjs", import.meta.url));

/** A surface with these people, at NOW, and files under /state. */
export async function seededClient(
  surface: "calendar" | "mail",
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<OfficeClient> {
  const office = await officeClient(surface, {
    nodeOptions: ["--import", CLOCK],
    env: { TEST_NOW: NOW },
  });
  await seed(office, { "people/people.json": JSON.stringify(PEOPLE), ...files });
  return office;
}

/** Files under /state, by path. */
async function seed(
  { state }: Pick<OfficeClient, "state">,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(state, path)), { recursive: true });
    await writeFile(join(state, path), content);
  }
}
