import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { newKey, parseKeys } from "../../api/keys.ts";
import { messageOf } from "../../base/fault.ts";
import { newSigningPair } from "../../store/signature.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";

const HELP = `
The key is shown once and stored nowhere; the service needs only the line with its hash. Bounds may
be added to the line: rate=10 (requests a second), burst=20 (at once), open=50 (rollouts at once).
may=grade:foreign lets it have bundles graded that the service has not made and nobody trusted signed.

Example:
  $ ./cloche.mjs keys new trainer-1 | tee /dev/stderr | sed -n 's/^line  *//p' >> keys
  $ ./cloche.mjs serve --keys keys

Exit codes: 0 made, 2 the id cannot be used.`;

const SIGNING_HELP = `
Writes <file> (the private key, mode 0600) and <file>.pub (the public one, for whoever verifies).
Neither may be there already.

Example:
  $ ./cloche.mjs keys signing /etc/cloche/signing.pem
  $ ./cloche.mjs serve --signing-key /etc/cloche/signing.pem
  $ ./cloche.mjs bundle verify 3fa1 --public-key /etc/cloche/signing.pem.pub

Exit codes: 0 made, 2 a file could not be written.`;

export function addKeys(program: Command, context: Context): void {
  const keys = program
    .command("keys")
    .description("keys for callers of the service, and for its signature");
  addSigning(keys, context);
  keys
    .command("new <id>")
    .description("make a key; its line is for the file of --keys")
    .option("--json", "one JSON document {id, key, line} on stdout")
    .addHelpText("after", HELP)
    .action((id: string, options: { readonly json?: boolean }) => {
      const { key, line } = newKey(id);
      parseKeys(line, "the new key"); // Refuses an id that no key file may have.
      const { out } = context.terminal;
      if (options.json) out(`${JSON.stringify({ id, key, line }, null, 2)}\n`);
      else out(`key   ${key}\nline  ${line}\n`);
      process.exitCode = EXIT.graded;
    });
}

function addSigning(keys: Command, context: Context): void {
  keys
    .command("signing <file>")
    .description("make a pair of ed25519 keys with which bundles are signed and verified")
    .option("--json", "one JSON document {key, privateKey, publicKey} on stdout: id and files")
    .addHelpText("after", SIGNING_HELP)
    .action(async (file: string, options: { readonly json?: boolean }) => {
      const { key, privatePem, publicPem } = newSigningPair();
      const publicFile = `${file}.pub`;
      await writeKey(file, privatePem, 0o600);
      await writeKey(publicFile, publicPem, 0o644);
      const { out } = context.terminal;
      const document = { key, privateKey: file, publicKey: publicFile };
      if (options.json) out(`${JSON.stringify(document, null, 2)}\n`);
      else out(`key      ${key}\nprivate  ${file}\npublic   ${publicFile}\n`);
      process.exitCode = EXIT.graded;
    });
}

async function writeKey(path: string, pem: string, mode: number): Promise<void> {
  try {
    await writeFile(path, pem, { flag: "wx", mode });
  } catch (error) {
    const message = `the key file ${path} was not written: ${messageOf(error)}`;
    throw cliFault("bad-key-file", message, { cause: error });
  }
}
