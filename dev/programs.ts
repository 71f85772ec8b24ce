import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, resolve } from "node:path";

/** A program that we need, and how to get it. */
export interface Program {
  /** The name for messages. */
  readonly title: string;
  /** The names of its executable, the preferred one first. */
  readonly names: readonly string[];
  /** Where Debian installs it, in case that folder is not on the PATH. */
  readonly path: string;
  readonly packages: { readonly apt: string; readonly brew?: string };
  /** Whether Debian runs it as a service, which must not start only because we install it. */
  readonly isService?: boolean;
  /** The environment variable that names one instead. */
  readonly variable: string;
}

/**
 * The path of a program. If it is missing, the system's package manager installs it, and a line on stderr says so.
 *
 * @throws when it is missing and cannot be installed; the message is one line that names the command to run
 */
export function findOrInstall(program: Program): string {
  return findOnPath([...program.names, program.path]) ?? install(program);
}

function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = names.flatMap((name) => folders.map((folder) => resolve(folder, name)));
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
  /** The command as a person would type it. */
  readonly command: string;
  readonly steps: readonly (readonly [string, ...string[]])[];
}

function install(program: Program): string {
  const { title, names, path, packages, variable } = program;
  const installer = findInstaller(program);
  if (installer === undefined) {
    const ways = [`apt-get install ${packages.apt}`, ...(packages.brew ? [`brew install ${packages.brew}`] : [])];
    throw new Error(`no ${title} found: install one (${ways.join(", or ")}) or set ${variable}`);
  }
  process.stderr.write(`No ${names.join(" or ")} on the PATH: installing one with "${installer.command}"\n`);
  try {
    for (const [command, ...args] of installer.steps)
      execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  } catch {
    throw new Error(`no ${title} found, and it could not be installed: run "${installer.command}"`);
  }
  const binary = findOnPath([...names, path]);
  if (binary === undefined) {
    throw new Error(`"${installer.command}" succeeded, but ${names.at(-1)} is still not on the PATH`);
  }
  return binary;
}

function findInstaller({ packages: { apt, brew }, isService = false }: Program): Installer | undefined {
  if (findOnPath(["apt-get"]) !== undefined) {
    if (process.getuid?.() === 0) return aptGet(apt, isService, []);
    if (findOnPath(["sudo"]) !== undefined && succeeds("sudo", ["-n", "true"]))
      return aptGet(apt, isService, ["sudo", "-n"]);
    return undefined;
  }
  if (brew !== undefined && findOnPath(["brew"]) !== undefined) {
    return { command: `brew install ${brew}`, steps: [["brew", "install", brew]] };
  }
  return undefined;
}

/** Installs the program without its service: RUNLEVEL=1 keeps SysV init from starting it, and systemd stops it afterwards. */
function aptGet(name: string, isService: boolean, sudo: readonly string[]): Installer {
  const step = (...words: string[]) => {
    const [program = "env", ...args] = [...sudo, "env", "RUNLEVEL=1", "DEBIAN_FRONTEND=noninteractive", ...words];
    return [program, ...args] as const;
  };
  const mustStop = isService && existsSync("/run/systemd/system");
  return {
    command: [...sudo, `apt-get install ${name}`].join(" "),
    steps: [
      step("apt-get", "update", "-qq"),
      step("apt-get", "install", "-y", "-qq", name),
      ...(mustStop ? [step("systemctl", "disable", "--now", name)] : []),
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
