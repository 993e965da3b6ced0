import { packageLicence } from "../../runtime/image/package-licence.ts";
import { bundleServer, SERVER_BUNDLES } from "../../runtime/image/server-bundles.ts";

const HEAD = `# Programs that the images carry from npm

Each ready-made server is bundled to one file from its npm package as it ships, our own to one file
with what they import. Legal comments of the sources stay in the bundles. Versions are those of
\`package-lock.json\`.

Written by \`node test/support/write-licences.ts\` from what the bundler put in; a test holds the two
equal. Debian's packages, Chromium among them, keep their own copyright files below \`/usr/share/doc\`
in the image. \`/usr/local/bin/node\` is Node.js (MIT; see \`LICENSE\` of that project for its parts).

| package | licence | in |
|---|---|---|
`;

/** servers/LICENSES.md as it should be now. */
export async function licencesPage(): Promise<string> {
  const users = new Map<string, Set<string>>();
  for (const server of SERVER_BUNDLES) {
    const { packages } = await bundleServer(server);
    for (const folder of packages) {
      const named = namedLicence(folder);
      users.set(named, (users.get(named) ?? new Set()).add(server.name));
    }
  }
  const rows = [...users]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([named, bundles]) => `| ${named} | ${[...bundles].join(", ")} |`);
  return `${HEAD}${rows.join("\n")}\n`;
}

/** The package's name and licence, as cells. */
function namedLicence(folder: string): string {
  const { name, licence } = packageLicence(folder);
  return `\`${name}\` | ${licence}`;
}
