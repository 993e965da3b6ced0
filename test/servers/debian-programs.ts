import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface DebianProgram {
  /** A command that succeeds if it is there. */
  readonly check: readonly [string, ...string[]];
  /** Debian's packages that bring it. */
  readonly packages: readonly string[];
}

export const LIBREOFFICE: DebianProgram = {
  check: ["soffice", "--version"],
  packages: ["libreoffice-calc-nogui"],
};

export const OPENPYXL: DebianProgram = {
  check: ["/usr/bin/python3", "-c", "import openpyxl"],
  packages: ["python3-openpyxl", "python3-pil"],
};

export const XLSXWRITER: DebianProgram = {
  check: ["/usr/bin/python3", "-c", "import xlsxwriter"],
  packages: ["python3-xlsxwriter"],
};

export const WRITER: DebianProgram = {
  // The two have one command; Calc alone has it, too.
  check: ["test", "-e", "/usr/lib/libreoffice/program/libswlo.so"],
  packages: ["libreoffice-writer-nogui"],
};

export const PYTHON_DOCX: DebianProgram = {
  check: ["/usr/bin/python3", "-c", "import docx"],
  packages: ["python3-docx"],
};

export const PYTHON_CALENDARS: DebianProgram = {
  check: ["/usr/bin/python3", "-c", "import dateutil, icalendar"],
  packages: ["python3-dateutil", "python3-icalendar"],
};

export const PYTHON_LXML: DebianProgram = {
  check: ["/usr/bin/python3", "-c", "import lxml"],
  packages: ["python3-lxml"],
};

export const POPPLER: DebianProgram = {
  check: ["pdftotext", "-v"],
  packages: ["poppler-utils"],
};

export const DEJAVU: DebianProgram = {
  check: ["test", "-e", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"],
  packages: ["fonts-dejavu-core"],
};

export const ZONE_FILES: DebianProgram = {
  check: ["test", "-e", "/usr/share/zoneinfo/Europe/Madrid"],
  packages: ["tzdata"],
};

/**
 * Sees to it that a program of Debian's is there, which takes a minute where it must be installed.
 * The answer is false, or why a test that needs it must be skipped: what `skip` takes.
 */
export async function missing({ check, packages }: DebianProgram): Promise<false | string> {
  const [command, ...args] = check;
  const works = () =>
    run(command, args, { timeout: 60_000 }).then(
      () => true,
      () => false,
    );
  if (await works()) return false;
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0) {
    return `${packages[0]} is not here, and only root on Debian installs it`;
  }
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  try {
    // Where the lists of packages are missing or old, they are fetched.
    await apt(install).catch(() => apt(["update", "-q"]).then(() => apt(install)));
  } catch (error) {
    return `${packages[0]} could not be installed: ${(error as Error).message.slice(0, 200)}`;
  }
  return (await works()) ? false : `${packages[0]} does not work here`;
}

/** Several test files may come here at the same time: each waits for its turn. */
async function apt(args: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = { env, timeout: 900_000, maxBuffer: 64 * 1024 * 1024 };
  await run("apt-get", ["-o", "DPkg::Lock::Timeout=600", ...args], options);
}

/** Of several programs: as `missing` of the first that is not to be had. */
export async function missingOf(...programs: readonly DebianProgram[]): Promise<false | string> {
  for (const program of programs) {
    const why = await missing(program);
    if (why !== false) return why;
  }
  return false;
}

/** LibreOffice makes of `file` one of another format in `folder`, with a profile of its own. */
export async function converted(file: string, format: string, folder: string): Promise<void> {
  const profile = `-env:UserInstallation=file://${folder}/.profile`;
  const args = [profile, "--headless", "--convert-to", format, "--outdir", folder, file];
  await run("soffice", args, { timeout: 300_000 });
}

/** What a Python program prints, read as JSON; its input is JSON, too. */
export async function python<T>(program: string, ...args: readonly string[]): Promise<T> {
  const { stdout } = await run("/usr/bin/python3", ["-c", program, ...args], {
    timeout: 120_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as T;
}
