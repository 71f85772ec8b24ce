import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program that is needed, and where to get it. */
export interface Program {
  /** What a person calls it. */
  readonly title: string;
  /** Its names on the PATH, the best first. */
  readonly names: readonly string[];
  /** Where Debian puts it, should that not be on the PATH. */
  readonly path: string;
  readonly packages: { readonly apt: string; readonly brew?: string };
  /** The variable that says where there is one. */
  readonly variable: string;
}

/**
 * The path of a program. Where there is none, installs it with the system's package manager, and says so on stderr.
 *
 * @throws when there is none and none can be installed; the message is one line that names the command to run
 */
export function findOrInstall(program: Program): string {
  return findOnPath(program.names) ?? install(program);
}

function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

interface Installer {
  /** What a person would type. */
  readonly command: string;
  readonly steps: readonly (readonly [string, ...string[]])[];
}

function install(program: Program): string {
  const { title, names, path, packages, variable } = program;
  const installer = findInstaller(packages);
  if (installer === undefined) {
    const ways = [`apt-get install ${packages.apt}`, ...(packages.brew ? [`brew install ${packages.brew}`] : [])];
    throw new Error(`no ${title} found: install one (${ways.join(", or ")}) or set ${variable}`);
  }
  process.stderr.write(`No ${names.join(" or ")} on the PATH: running "${installer.command}" to install one\n`);
  try {
    for (const [command, ...args] of installer.steps)
      execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  } catch {
    throw new Error(`no ${title} found, and it could not be installed: run "${installer.command}"`);
  }
  const binary = findOnPath([...names, path]);
  if (binary === undefined) {
    throw new Error(`"${installer.command}" ran, and there is still no ${names.at(-1)} on the PATH`);
  }
  return binary;
}

function findInstaller({ apt, brew }: Program["packages"]): Installer | undefined {
  if (findOnPath(["apt-get"]) !== undefined) {
    if (process.getuid?.() === 0) return aptGet(apt, []);
    if (findOnPath(["sudo"]) !== undefined && succeeds("sudo", ["-n", "true"])) return aptGet(apt, ["sudo", "-n"]);
    return undefined;
  }
  if (brew !== undefined && findOnPath(["brew"]) !== undefined) {
    return { command: `brew install ${brew}`, steps: [["brew", "install", brew]] };
  }
  return undefined;
}

/** Debian starts a service that it installs. We want the program alone: RUNLEVEL=1 keeps SysV from it, systemd is told after. */
function aptGet(name: string, sudo: readonly string[]): Installer {
  const step = (...words: string[]) => {
    const [program = "env", ...args] = [...sudo, "env", "RUNLEVEL=1", "DEBIAN_FRONTEND=noninteractive", ...words];
    return [program, ...args] as const;
  };
  const isService = name.endsWith("-server") && existsSync("/run/systemd/system");
  return {
    command: [...sudo, `apt-get install ${name}`].join(" "),
    steps: [
      step("apt-get", "update", "-qq"),
      step("apt-get", "install", "-y", "-qq", name),
      ...(isService ? [step("systemctl", "disable", "--now", name)] : []),
    ],
  };
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
