// "Train on this repository": `editflow train` in a terminal, where the person sees it, can stop it and run it again.

import { type WorkspaceFolder, env, window, workspace } from "vscode";
import type { Command } from "./environment";
import { commandLine } from "./shell";

export async function train({ program, args }: Command): Promise<void> {
  const folder = await chooseFolder();
  if (!folder) return;
  if (!workspace.isTrusted) {
    void window.showWarningMessage(
      "Edit Flow: training reads this repository's history with git; trust the workspace first.",
    );
    return;
  }
  const terminal = window.createTerminal({ name: "Edit Flow: train", cwd: folder.uri, shellPath: env.shell });
  terminal.show();
  terminal.sendText(commandLine({ program, args: [...args, "train", "--repo", "."] }, env.shell));
}

async function chooseFolder(): Promise<WorkspaceFolder | undefined> {
  const folders = workspace.workspaceFolders ?? [];
  if (folders.length === 0)
    void window.showWarningMessage("Edit Flow: open a folder with a git repository first.");
  return folders.length > 1 ? window.showWorkspaceFolderPick() : folders[0];
}
