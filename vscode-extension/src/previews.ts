// The previews of all open documents: one each at most. Starts them, feeds them steps and changes, and says how they ended.

import {
  Disposable,
  EventEmitter,
  Range,
  type TextDocument,
  Uri,
  WorkspaceEdit,
  window,
  workspace,
} from "vscode";
import type { Change } from "./positions";
import { type Buffer, Preview, type Request, type Server } from "./preview";
import type { FixResult, Step } from "./protocol";
import { count } from "./words";

export class Previews implements Disposable {
  private readonly byUri = new Map<string, Preview>();
  private readonly changed = new EventEmitter<Uri>();
  private readonly subscription: Disposable;
  readonly onDidChange = this.changed.event;
  /** The newest request of a document: what "again" repeats. */
  private readonly requests = new Map<string, Request>();
  private newest: Preview | undefined;

  constructor(
    private readonly streams: () => boolean,
    private readonly say: (notice: string) => void,
  ) {
    this.subscription = Disposable.from(
      this.changed,
      workspace.onDidChangeTextDocument(({ document, contentChanges }) =>
        this.follow(document, contentChanges),
      ),
      workspace.onDidCloseTextDocument((document) => this.close(document)),
    );
  }

  of(document: TextDocument | undefined): Preview | undefined {
    return document && this.byUri.get(document.uri.toString());
  }

  /** The preview that was started last, ended or not. */
  get last(): Preview | undefined {
    return this.newest;
  }

  lastRequest(document: TextDocument): Request | undefined {
    return this.requests.get(document.uri.toString());
  }

  async fix(document: TextDocument, request: Request, server: Server): Promise<FixResult> {
    const key = document.uri.toString();
    this.byUri.get(key)?.drop();
    const preview: Preview = new Preview(request, new DocumentBuffer(document), server, () =>
      this.update(document, preview),
    );
    this.newest = preview;
    this.byUri.set(key, preview);
    this.requests.set(key, request);
    this.changed.fire(document.uri);
    const result = await preview.run();
    if (result.status === "unchanged") this.say("nothing to fix here");
    else if (result.status === "done" && preview.phase === "ended") this.say("proposal dropped");
    return result;
  }

  onStep(step: Step): void {
    const preview = this.streams() && this.byUri.get(Uri.parse(step.textDocument.uri).toString());
    if (preview) preview.onStep(step);
  }

  dispose(): void {
    for (const preview of [...this.byUri.values()]) preview.drop();
    this.subscription.dispose();
  }

  private update(document: TextDocument, preview: Preview): void {
    const key = document.uri.toString();
    if (preview.phase === "ended" && this.byUri.get(key) === preview) this.byUri.delete(key);
    this.changed.fire(document.uri);
  }

  private follow(document: TextDocument, changes: readonly Change[]): void {
    const preview = this.of(document);
    const reviewing = preview?.phase === "reviewing";
    const dropped = preview?.onChange(changes) ?? 0;
    if (reviewing && dropped > 0) this.say(`${count(dropped)} dropped: you changed the text there`);
  }

  private close(document: TextDocument): void {
    this.of(document)?.drop();
    this.requests.delete(document.uri.toString());
  }
}

class DocumentBuffer implements Buffer {
  constructor(private readonly document: TextDocument) {}

  get version(): number {
    return this.document.version;
  }

  getText(): string {
    return this.document.getText();
  }

  async apply(changes: readonly Change[]): Promise<boolean> {
    const edit = new WorkspaceEdit();
    for (const { range, text } of changes) {
      const { start, end } = range;
      edit.replace(this.document.uri, new Range(start.line, start.character, end.line, end.character), text);
    }
    const done = await workspace.applyEdit(edit);
    const reason = "the editor did not take the edit: the text changed meanwhile, or cannot be written.";
    if (!done) void window.showWarningMessage(`Edit Flow: ${reason}`);
    return done;
  }
}
