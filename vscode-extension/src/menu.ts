// The menu of the status bar item: what can be done now, under the names that the palette has.

import { type ExtensionContext, commands, window } from "vscode";
import type { Phase } from "./preview";

const ALWAYS = ["selectModel", "train", "showLog", "restart", "openWalkthrough"];
const WITHOUT_SERVER = ["setUp", "openWalkthrough", "showLog"];
const BY_PHASE: Record<Phase, readonly string[]> = {
  running: ["cancelFix", "showDiff"],
  reviewing: ["acceptAll", "rejectAll", "nextHunk", "showDiff", "again"],
  ended: ["fixHere", "fixFile", "showSuspicion"],
};

export async function openMenu(
  context: ExtensionContext,
  phase: Phase | undefined,
  ready: boolean,
): Promise<void> {
  const names = ready ? [...BY_PHASE[phase ?? "ended"], ...ALWAYS] : WITHOUT_SERVER;
  const titles = titlesOf(context);
  const items = names.map((name) => ({ label: titles.get(`editflow.${name}`) ?? name, name }));
  const choice = await window.showQuickPick(items, { title: "Edit Flow" });
  if (choice) await commands.executeCommand(`editflow.${choice.name}`);
}

function titlesOf(context: ExtensionContext): Map<string, string> {
  const { contributes } = context.extension.packageJSON as {
    contributes: { commands: { command: string; title: string }[] };
  };
  return new Map(contributes.commands.map(({ command, title }) => [command, title]));
}
