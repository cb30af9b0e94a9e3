// Keeps everything that shows a preview up to date: decorations, CodeLenses, the diff, the status item, context keys.

import { Disposable, type TextEditor, type Uri, commands, window } from "vscode";
import { Decorations } from "./decorations";
import { type DiffView, shownIn } from "./diffview";
import type { Lenses } from "./lens";
import type { Phase } from "./preview";
import type { Previews } from "./previews";
import type { StatusItem } from "./status";

export class Stage implements Disposable {
  private readonly decorations: Decorations;
  private readonly subscription: Disposable;
  private phase: Phase = "ended";

  constructor(
    private readonly previews: Previews,
    private readonly status: StatusItem,
    private readonly lenses: Lenses,
    private readonly diffView: DiffView,
    media: (name: string) => Uri,
  ) {
    this.decorations = new Decorations(media);
    this.subscription = Disposable.from(
      this.decorations,
      previews.onDidChange((uri) => this.refresh(uri)),
      window.onDidChangeActiveTextEditor(() => this.draw()),
      window.onDidChangeVisibleTextEditors(() => this.draw()),
    );
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private refresh(uri: Uri): void {
    this.draw();
    this.lenses.refresh();
    this.diffView.refresh(uri);
  }

  private draw(): void {
    for (const editor of window.visibleTextEditors) {
      this.decorations.draw(editor, isOriginal(editor) ? undefined : this.previews.of(editor.document));
    }
    const active = this.previews.of(shownIn(window.activeTextEditor));
    this.status.setPreview(active);
    this.setPhase(active?.phase ?? "ended");
  }

  /** The keys of a preview work only while the active editor shows one. */
  private setPhase(phase: Phase): void {
    if (phase === this.phase) return;
    this.phase = phase;
    void commands.executeCommand("setContext", "editflow.running", phase === "running");
    void commands.executeCommand("setContext", "editflow.reviewing", phase === "reviewing");
  }
}

/** Whether this is the left side of a diff, which shows the changes by itself; it has no column, as notebook cells. */
function isOriginal({ viewColumn, document }: TextEditor): boolean {
  return viewColumn === undefined && document.uri.scheme !== "vscode-notebook-cell";
}
