// The entry point: makes the parts, connects them, and lets a test look at what is shown.

import { type ExtensionContext, type TextDocument, Uri, languages, window, workspace } from "vscode";
import { SELECTOR } from "./client";
import { Commands } from "./commands";
import { Connection } from "./connection";
import { DiffView, SCHEME } from "./diffview";
import { Lenses } from "./lens";
import { Previews } from "./previews";
import type { Hunk } from "./protocol";
import { NEEDS_RESTART, readSettings } from "./settings";
import { Stage } from "./stage";
import { StatusItem } from "./status";

/** What the extension exports. */
export interface Api {
  /** Settles when the first start of the server has succeeded or failed. */
  readonly ready: Promise<void>;
  /** The newest preview: `seen` counts the different sets of hunks that its stream has brought. */
  state(): { jobId: string | undefined; hunks: readonly Hunk[]; seen: number; status: string };
}

let connection: Connection | undefined;

export function activate(context: ExtensionContext): Api {
  let settings = readSettings();
  const log = window.createOutputChannel("Edit Flow", { log: true });
  const status = new StatusItem();
  const previews = new Previews(
    () => settings.preview === "stream",
    (notice) => status.say(notice),
  );
  const find = (document: TextDocument): ReturnType<Previews["of"]> => previews.of(document);
  const diffView = new DiffView(find);
  const lenses = new Lenses(find);
  const stage = new Stage(previews, status, lenses, diffView, (name) =>
    Uri.joinPath(context.extensionUri, "media", name),
  );
  const link: Connection = new Connection(
    context,
    () => settings,
    {
      onStep: (step) => previews.onStep(step),
      onStatus: (report) => status.setServer(report),
      onFix: (params) => actions.runAction(params),
    },
    log,
  );
  const showLog = (): void => log.show();
  const actions: Commands = new Commands({
    context,
    connection: link,
    previews,
    diffView,
    settings: () => settings,
    showLog,
  });
  connection = link;

  context.subscriptions.push(
    log,
    status,
    previews,
    stage,
    diffView,
    ...actions.register(),
    workspace.registerTextDocumentContentProvider(SCHEME, diffView),
    languages.registerCodeLensProvider(SELECTOR, lenses),
    workspace.onDidGrantWorkspaceTrust(() => void link.restart()),
    workspace.onDidChangeConfiguration((event) => {
      if (!event.affectsConfiguration("editflow") && !event.affectsConfiguration("workbench.reduceMotion"))
        return;
      settings = readSettings();
      if (NEEDS_RESTART.some((key) => event.affectsConfiguration(key))) void link.restart();
      else void link.configure();
    }),
  );

  const ready = link.restart();
  return {
    ready,
    state: () => ({
      jobId: previews.last?.jobId,
      hunks: previews.last?.proposal.pending ?? [],
      seen: previews.last?.seen ?? 0,
      status: status.words.text,
    }),
  };
}

export async function deactivate(): Promise<void> {
  await connection?.stop();
}
