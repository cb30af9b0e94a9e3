// Pythons of this machine: the one that the Python extension has selected, and one to make an environment with.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { extensions, workspace } from "vscode";
import { which } from "./environment";

const run = promisify(execFile);
const NAMES = ["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"];
const VERSION_CHECK = "import sys; sys.exit(sys.version_info < (3, 11))";

interface EnvironmentsApi {
  getEnvironment(scope: unknown): Promise<{ execInfo?: { run?: { executable?: string } } } | undefined>;
}

interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: unknown): { readonly path: string };
    resolveEnvironment(
      environment: unknown,
    ): Promise<{ executable: { uri?: { fsPath: string } } } | undefined>;
  };
}

export async function selectedPython(): Promise<string | undefined> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const environments = await exportsOf<EnvironmentsApi>("ms-python.vscode-python-envs");
  const environment = await environments?.getEnvironment(folder);
  if (environment?.execInfo?.run?.executable) return environment.execInfo.run.executable;
  const python = await exportsOf<PythonApi>("ms-python.python");
  const active = python?.environments.getActiveEnvironmentPath(folder);
  return active && (await python?.environments.resolveEnvironment(active))?.executable.uri?.fsPath;
}

/** A Python on PATH that is new enough for EditFlow. */
export async function basePython(): Promise<string | undefined> {
  for (const name of NAMES) {
    const python = await which(name);
    if (python && (await isNewEnough(python))) return python;
  }
  return undefined;
}

async function isNewEnough(python: string): Promise<boolean> {
  try {
    await run(python, ["-I", "-c", VERSION_CHECK]);
    return true;
  } catch {
    return false;
  }
}

async function exportsOf<T>(id: string): Promise<T | undefined> {
  const extension = extensions.getExtension<T>(id);
  return extension && (await extension.activate());
}
