// Choosing the model: what `editflow models --json` lists, and folders with checkpoints of the person's own.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ConfigurationTarget, type QuickPickItem, window, workspace } from "vscode";
import type { Command } from "./environment";

/** One line of `editflow models --json`. */
interface Model {
  readonly name: string;
  readonly folder: string;
  readonly parameters: number | null;
  /** Why it cannot be used; null where it can. */
  readonly error: string | null;
}

interface Item extends QuickPickItem {
  /** Undefined: ask for a folder. */
  readonly model?: string;
}

export async function selectModel(editflow: Command): Promise<void> {
  const models = await list(editflow);
  const items: Item[] = models.map((model) => ({
    label: model.name,
    description: model.error ?? size(model),
    detail: model.folder,
    model: model.name.startsWith("default@") ? "default" : model.folder,
  }));
  const choice = await window.showQuickPick<Item>([...items, { label: "Browse for a checkpoint folder…" }], {
    title: "Edit Flow: Model",
  });
  const model = choice && (choice.model ?? (await browse()));
  if (model) await workspace.getConfiguration("editflow").update("model", model, ConfigurationTarget.Global);
}

/** A damaged checkpoint makes the command exit with 2, its list is printed all the same. */
async function list({ program, args }: Command): Promise<Model[]> {
  const { stdout } = await promisify(execFile)(program, [...args, "models", "--json"], {
    timeout: 60_000,
    windowsHide: true,
  }).catch((error: unknown) => {
    const { code, stdout } = error as { code?: unknown; stdout?: string };
    if (code !== 2 || stdout === undefined) throw error;
    return { stdout };
  });
  return stdout.split("\n").flatMap((line) => (line.trim() === "" ? [] : [JSON.parse(line) as Model]));
}

async function browse(): Promise<string | undefined> {
  const folders = await window.showOpenDialog({
    canSelectFolders: true,
    canSelectFiles: false,
    openLabel: "Use this checkpoint",
  });
  return folders?.[0]?.fsPath;
}

function size({ parameters }: Model): string {
  return parameters === null ? "" : `${(parameters / 1e6).toFixed(1)} million parameters`;
}
