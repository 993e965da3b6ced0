import { canonicalJson } from "../base/canonical-json.ts";
import { sha256 } from "../base/hash.ts";
import { DEBIAN_RELEASE, rootFile } from "./definitions.ts";
import { Lockfile } from "./lockfile.ts";
import { packageLicence } from "./package-licence.ts";
import { SANDBOX_IMAGES, type SandboxImage } from "./sandbox-image.ts";
import { graderPackages, serverPackages } from "./server-files.ts";

/** What was found in an image by reading it. */
export interface ImageContents {
  /** `cloche/office:<hash>` and the content id, `sha256:…`. */
  readonly reference: string;
  readonly id: string;
  readonly created: Date;
  /** /var/lib/dpkg/status. */
  readonly dpkgStatus: string;
  /** What `node --version` says there, without the "v"; undefined if it has none. */
  readonly nodeVersion: string | undefined;
  /** What we put there: bundles, what lies beside them, our Python package; by path in the image. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

/** A document of CycloneDX 1.6, as far as ours goes. */
export interface Sbom {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: {
    readonly timestamp: string;
    readonly tools: { readonly components: readonly Component[] };
    readonly component: Component;
  };
  readonly components: readonly Component[];
}

export interface Component {
  readonly type: "application" | "container" | "file" | "library";
  readonly "bom-ref"?: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: "SHA-256" | "SHA-512"; readonly content: string }[];
  readonly licenses?: readonly (
    | { readonly license: { readonly id: string } | { readonly name: string } }
    | { readonly expression: string }
  )[];
}

const VERSION = "0.1.0";

/**
 * What an image contains: Debian's packages as its dpkg knows them, the npm packages that its
 * servers are bundled from, Node, and the files that we put there. The same image gives the same document.
 */
export async function sbomOf(contents: ImageContents): Promise<Sbom> {
  const { reference, id, created } = contents;
  const [name = "", version = ""] = reference.split(":");
  const image = name.split("/").at(-1) ?? "";
  const components = [
    ...debianComponents(contents.dpkgStatus),
    ...npmComponents(await packagesOf(image)),
    ...nodeComponents(contents.nodeVersion),
    ...contents.files.map(fileComponent),
  ];
  const known = new Set<string>();
  const unlike = components.filter(({ "bom-ref": ref = "" }) => !known.has(ref) && known.add(ref));
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(canonicalJson([id, unlike]))}`,
    version: 1,
    metadata: {
      timestamp: created.toISOString(),
      tools: { components: [{ type: "application", name: "cloche", version: VERSION }] },
      component: {
        type: "container",
        "bom-ref": id,
        name,
        version,
        hashes: [{ alg: "SHA-256", content: id.replace("sha256:", "") }],
      },
    },
    components: unlike,
  };
}

/** The installed packages of a dpkg status file. */
export function debianComponents(status: string): Component[] {
  const paragraphs = status.split(/\n\n+/).filter((paragraph) => paragraph.trim() !== "");
  return paragraphs.flatMap((paragraph) => {
    const field = (key: string) => new RegExp(`^${key}: (.*)$`, "m").exec(paragraph)?.[1];
    const [name, version, architecture] = ["Package", "Version", "Architecture"].map(field);
    const isInstalled = field("Status")?.endsWith(" installed") === true;
    if (!isInstalled || name === undefined || version === undefined) return [];
    const place = `arch=${architecture ?? "all"}&distro=${DEBIAN_RELEASE}`;
    const encoded = `${encodeURIComponent(name)}@${encodeURIComponent(version)}`;
    const purl = `pkg:deb/debian/${encoded}?${place}`;
    return [{ type: "library" as const, "bom-ref": purl, name, version, purl }];
  });
}

async function packagesOf(image: string): Promise<readonly string[]> {
  if (image === "grader") return await graderPackages();
  return isSandboxImage(image) ? await serverPackages(image) : [];
}

function npmComponents(folders: readonly string[]): Component[] {
  const lock = new Lockfile(rootFile("package-lock.json"));
  return folders.map((folder) => {
    const { version, integrity } = lock.at(folder);
    const { name, licence } = packageLicence(folder);
    const purl = `pkg:npm/${name.replace("@", "%40")}@${encodeURIComponent(version)}`;
    const sha512 = /^sha512-(.*)$/.exec(integrity ?? "")?.[1];
    const content = Buffer.from(sha512 ?? "", "base64").toString("hex");
    return {
      ...({ type: "library", "bom-ref": purl, name, version, purl } as const),
      ...(sha512 ? { hashes: [{ alg: "SHA-512", content }] as const } : {}),
      licenses: [licenceOf(licence)],
    };
  });
}

/** Identifiers of SPDX that the packages use; any other text is a name. */
const SPDX = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"];

function licenceOf(text: string): NonNullable<Component["licenses"]>[number] {
  if (SPDX.includes(text)) return { license: { id: text } };
  if (/^\(?[\w.-]+( (OR|AND|WITH) [\w.-]+)+\)?$/.test(text)) return { expression: text };
  return { license: { name: text } };
}

function nodeComponents(version: string | undefined): Component[] {
  if (version === undefined) return [];
  const purl = `pkg:generic/nodejs@${version}`;
  const licenses = [{ license: { id: "MIT" } }];
  return [{ type: "application", "bom-ref": purl, name: "node", version, purl, licenses }];
}

function fileComponent({ path, sha256: content }: ImageContents["files"][number]): Component {
  const hashes = [{ alg: "SHA-256" as const, content }];
  return { type: "file", "bom-ref": `file:${path}`, name: path, hashes };
}

function isSandboxImage(name: string): name is SandboxImage {
  return SANDBOX_IMAGES.some((image) => image === name);
}

/** A UUID (version 8) from a text's hash. */
function uuidOf(text: string): string {
  const digits = sha256(text);
  const variant = ((Number.parseInt(digits.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  const parts = [digits.slice(0, 8), digits.slice(8, 12), `8${digits.slice(13, 16)}`];
  return [...parts, `${variant}${digits.slice(18, 20)}`, digits.slice(20, 32)].join("-");
}
