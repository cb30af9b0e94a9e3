// Makes a Python environment of the extension's own and installs EditFlow there, after the person has agreed.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { type CancellationToken, type LogOutputChannel, ProgressLocation, type Uri, window } from "vscode";
import { basePython } from "./python";

export function privatePython(storage: Uri): string {
  const folder = join(storage.fsPath, "venv");
  return process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}

/** Whether EditFlow is installed in the private environment afterwards. */
export async function install(storage: Uri, log: LogOutputChannel): Promise<boolean> {
  const base = await basePython();
  if (!base) {
    void window.showErrorMessage(
      "Edit Flow needs Python 3.11 or newer. Install one, then choose “Edit Flow: Set Up” again.",
    );
    return false;
  }
  const venv = join(storage.fsPath, "venv");
  if (!(await agreed(venv))) return false;
  try {
    await window.withProgress(
      { location: ProgressLocation.Notification, title: "Edit Flow", cancellable: true },
      async (progress, token) => {
        progress.report({ message: "creating an environment" });
        await run(base, ["-P", "-m", "venv", "--clear", venv], log, token);
        progress.report({ message: "installing editflow (the log shows how far it is)" });
        await run(
          privatePython(storage),
          ["-P", "-m", "pip", "install", "--disable-pip-version-check", "editflow"],
          log,
          token,
        );
      },
    );
    return true;
  } catch (error) {
    log.error(String(error));
    if (
      await window.showErrorMessage(
        `Edit Flow could not be installed: ${(error as Error).message}.`,
        "Show Log",
      )
    )
      log.show();
    return false;
  }
}

async function agreed(folder: string): Promise<boolean> {
  const detail =
    `This runs “python -m venv” and “pip install editflow” in ${folder}. ` +
    "pip downloads EditFlow and PyTorch from the package index that it is configured for: several hundred megabytes, or some gigabytes with CUDA. " +
    "Nothing else on this machine is changed.";
  const answer = await window.showInformationMessage(
    "Install EditFlow into a Python environment of its own?",
    { modal: true, detail },
    "Install",
  );
  return answer === "Install";
}

function run(
  program: string,
  args: readonly string[],
  log: LogOutputChannel,
  token: CancellationToken,
): Promise<void> {
  log.info([program, ...args].join(" "));
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { windowsHide: true });
    const cancellation = token.onCancellationRequested(() => child.kill());
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => log.info(data.toString().trimEnd()));
    child.on("error", reject);
    child.on("close", (code) => {
      cancellation.dispose();
      if (code === 0) resolve();
      else
        reject(
          new Error(
            token.isCancellationRequested
              ? "cancelled"
              : `${args[1] ?? program} ended with ${code ?? "a signal"}`,
          ),
        );
    });
  });
}
