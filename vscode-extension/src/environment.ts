// Which Python runs the language server. The places are tried in order; a workspace's own Python only where the person
// trusts the workspace. No editor API here, so the order is tested without one.

import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

export interface Environment {
  readonly server: Command;
  readonly editflow: Command;
  /** For the log and for people: where it was found. */
  readonly source: string;
}

/** No environment: why, in a sentence for people. */
export interface Missing {
  readonly missing: string;
}

export interface Places {
  /** The setting editflow.interpreter; empty if not set. */
  readonly interpreter: string;
  readonly trusted: boolean;
  /** The Python of the environment that the extension made, whether or not it exists. */
  readonly privatePython: string;
  which(program: string): Promise<string | undefined>;
  /** The Python that the Python extension has selected for the workspace. */
  selected(): Promise<string | undefined>;
  /** Whether this Python can import the language server. */
  hasServer(python: string): Promise<boolean>;
}

export async function findEnvironment(places: Places): Promise<Environment | Missing> {
  const { interpreter } = places;
  if (interpreter !== "") {
    if (await places.hasServer(interpreter)) return ofPython(interpreter, "the setting editflow.interpreter");
    return { missing: `${interpreter}, named by the setting editflow.interpreter, has no editflow package.` };
  }
  const [server, editflow] = [await places.which("editflow-lsp"), await places.which("editflow")];
  if (server && editflow)
    return {
      server: { program: server, args: [] },
      editflow: { program: editflow, args: [] },
      source: "PATH",
    };
  const selected = places.trusted ? await places.selected() : undefined;
  if (selected && (await places.hasServer(selected))) return ofPython(selected, "the Python extension");
  if (await places.hasServer(places.privatePython))
    return ofPython(places.privatePython, "the extension's own environment");
  return { missing: "No Python with the editflow package was found." };
}

/** The absolute path of `program` on PATH; relative entries could point into a workspace and are skipped. */
export async function which(program: string, path = process.env["PATH"] ?? ""): Promise<string | undefined> {
  const names = process.platform === "win32" ? [`${program}.exe`] : [program];
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder));
  for (const file of folders.flatMap((folder) => names.map((name) => join(folder, name)))) {
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

export function hasServer(python: string): Promise<boolean> {
  const probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('editflow_lsp') is None)";
  return new Promise((resolve) => {
    execFile(python, ["-I", "-c", probe], { timeout: 20_000, windowsHide: true }, (error) =>
      resolve(error === null),
    );
  });
}

/** With -P, as the server starts in the workspace and must not import a module of it, a queue.py for one. */
function ofPython(python: string, source: string): Environment {
  const module = (name: string): Command => ({ program: python, args: ["-P", "-m", name] });
  return { server: module("editflow_lsp"), editflow: module("editflow"), source };
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
