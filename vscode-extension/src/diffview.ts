// The proposal beside the document, on demand: a virtual document with the pending hunks applied.

import {
  type Disposable,
  EventEmitter,
  type TextDocument,
  type TextDocumentContentProvider,
  type TextEditor,
  Uri,
  commands,
  workspace,
} from "vscode";
import { applied } from "./positions";
import type { Preview } from "./preview";
import { changeOf } from "./proposal";

export const SCHEME = "editflow-proposal";

export class DiffView implements TextDocumentContentProvider, Disposable {
  private readonly changed = new EventEmitter<Uri>();
  readonly onDidChange = this.changed.event;

  constructor(private readonly find: (document: TextDocument) => Preview | undefined) {}

  async open(document: TextDocument): Promise<void> {
    const name = document.uri.path.split("/").at(-1) ?? "";
    await commands.executeCommand(
      "vscode.diff",
      document.uri,
      virtual(document.uri),
      `${name} and the proposed edits`,
    );
  }

  refresh(document: Uri): void {
    this.changed.fire(virtual(document));
  }

  provideTextDocumentContent(uri: Uri): string {
    const document = sourceOf(uri);
    if (!document) return "";
    return applied(document.getText(), this.find(document)?.proposal.pending.map(changeOf) ?? []);
  }

  dispose(): void {
    this.changed.dispose();
  }
}

/** The document whose proposal a person looks at in `editor`: its own, or the one that the diff shows. */
export function shownIn(editor: TextEditor | undefined): TextDocument | undefined {
  return editor?.document.uri.scheme === SCHEME ? sourceOf(editor.document.uri) : editor?.document;
}

function sourceOf(uri: Uri): TextDocument | undefined {
  return workspace.textDocuments.find((document) => document.uri.toString() === uri.query);
}

function virtual(document: Uri): Uri {
  return Uri.from({ scheme: SCHEME, path: document.path, query: document.toString() });
}
