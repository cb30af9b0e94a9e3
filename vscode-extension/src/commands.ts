// The commands of the palette, the menus, the keys and the CodeLenses, each a few lines over previews and connection.

import {
  type Diagnostic,
  type Disposable,
  type ExtensionContext,
  Range,
  Selection,
  type TextDocument,
  type TextEditor,
  Uri,
  commands,
  languages,
  window,
  workspace,
} from "vscode";
import { type Client, SELECTOR } from "./client";
import { type Connection, openWalkthrough } from "./connection";
import { type DiffView, shownIn } from "./diffview";
import type { Command } from "./environment";
import { openMenu } from "./menu";
import { selectModel } from "./models";
import type { Preview, Request } from "./preview";
import type { Previews } from "./previews";
import { at, next, previous } from "./proposal";
import type { FixParams, FixResult, Hunk, Scope } from "./protocol";
import type { Settings } from "./settings";
import { train } from "./train";

export interface Parts {
  readonly context: ExtensionContext;
  readonly connection: Connection;
  readonly previews: Previews;
  readonly diffView: DiffView;
  readonly settings: () => Settings;
  readonly showLog: () => void;
}

export class Commands {
  constructor(private readonly parts: Parts) {}

  register(): Disposable[] {
    const { connection, context, showLog } = this.parts;
    const table: Record<string, (...args: string[]) => unknown> = {
      fixHere: () => this.fix((editor) => (editor.selection.isEmpty ? "function" : "selection")),
      fixSelection: () => this.fix(() => "selection"),
      fixFunction: () => this.fix(() => "function"),
      fixFile: () => this.fix(() => "file"),
      again: () => this.again(),
      cancelFix: () => this.active()?.preview.cancel(),
      acceptAll: (uri) => this.active(uri)?.preview.accept(),
      rejectAll: (uri) => this.active(uri)?.preview.reject(),
      acceptHunk: (uri, id) => this.decide(uri, id, (preview, hunk) => preview.accept([hunk])),
      rejectHunk: (uri, id) => this.decide(uri, id, (preview, hunk) => preview.reject([hunk])),
      nextHunk: () => this.go(next),
      previousHunk: () => this.go(previous),
      showDiff: (uri) => this.showDiff(uri),
      showSuspicion: () => this.suspicion(true),
      hideSuspicion: () => this.suspicion(false),
      selectModel: () => this.withEditflow(selectModel),
      train: () => this.withEditflow(train),
      showLog,
      restart: () => connection.restart(),
      setUp: () => this.setUp(),
      openWalkthrough: () => openWalkthrough(context),
      menu: () => openMenu(context, this.active()?.preview.phase, connection.environment !== undefined),
    };
    return Object.entries(table).map(([name, run]) => commands.registerCommand(`editflow.${name}`, run));
  }

  /** Runs a request in a preview, or with the server applying where previews are off; says how it failed. */
  async run(document: TextDocument, request: Request): Promise<FixResult | undefined> {
    const { connection, previews, settings } = this.parts;
    const client = await connection.require();
    if (!client) return undefined;
    const result =
      settings().preview === "off"
        ? await client.fix({ ...request, mode: "apply" })
        : await previews.fix(document, request, client);
    if (result.status === "stale" || result.status === "error") void this.explain(document, result);
    return result;
  }

  /** A fix that a code action of the server asks for. */
  async runAction(params: FixParams): Promise<FixResult | undefined> {
    const document = findDocument(Uri.parse(params.textDocument.uri).toString());
    const { mode: _mode, jobId: _job, ...request } = params;
    return document && this.run(document, request);
  }

  private async fix(scopeOf: (editor: TextEditor) => Scope): Promise<void> {
    const editor = window.activeTextEditor;
    if (!editor || languages.match(SELECTOR, editor.document) === 0) {
      void window.showInformationMessage("Edit Flow: put the cursor into Python code first.");
      return;
    }
    const client = await this.parts.connection.require();
    if (client) await this.run(editor.document, requestAt(editor, scopeOf(editor), client));
  }

  private async again(): Promise<void> {
    const editor = window.activeTextEditor;
    const last = editor && this.parts.previews.lastRequest(editor.document);
    if (!last) return this.fix(() => "function");
    const seed = (last.seed ?? 0) + 1;
    const same = last.textDocument.version === editor.document.version;
    if (same) await this.run(editor.document, { ...last, seed });
    else await this.fix(() => last.scope ?? "function");
  }

  private async explain(document: TextDocument, { status, reason }: FixResult): Promise<void> {
    const text = `Edit Flow: ${reason ?? (status === "stale" ? "the text changed meanwhile" : "the fix failed")}`;
    const answer = await window.showWarningMessage(text, "Retry", "Show Log");
    if (answer === "Show Log") this.parts.showLog();
    const editor = window.visibleTextEditors.find((visible) => visible.document === document);
    const client = answer === "Retry" && editor ? await this.parts.connection.require() : undefined;
    const scope = this.parts.previews.lastRequest(document)?.scope ?? "function";
    if (editor && client) await this.run(document, requestAt(editor, scope, client));
  }

  private async decide(
    uri: string | undefined,
    id: string | undefined,
    act: (preview: Preview, hunk: Hunk) => unknown,
  ): Promise<void> {
    const active = this.active(uri);
    if (!active) return;
    const { preview, document } = active;
    const hunk =
      preview.proposal.pending.find((pending) => pending.id === id) ?? hunkAtCursor(document, preview);
    if (!hunk) return;
    await act(preview, hunk);
    const following = next(preview.proposal, hunk.range.start);
    preview.focus(following?.id);
    if (following && this.parts.settings().jumpAfterAccept) reveal(document, following);
  }

  private go(step: typeof next): void {
    const active = this.active();
    const editor = window.activeTextEditor;
    if (!active || !editor) return;
    const hunk = step(active.preview.proposal, editor.selection.active);
    if (!hunk) return;
    active.preview.focus(hunk.id);
    reveal(active.document, hunk);
  }

  private async showDiff(uri?: string): Promise<void> {
    const active = this.active(uri);
    if (active) await this.parts.diffView.open(active.document);
  }

  private async suspicion(show: boolean): Promise<void> {
    const document = window.activeTextEditor?.document;
    const client = document && (await this.parts.connection.require());
    if (client) await client.suspicion({ uri: document.uri.toString(), version: document.version }, show);
  }

  private async withEditflow(act: (editflow: Command) => Promise<void>): Promise<void> {
    const { connection } = this.parts;
    if (!connection.environment) await connection.guide();
    if (!connection.environment) return;
    try {
      await act(connection.environment.editflow);
    } catch (error) {
      const [reason = ""] = (error as Error).message.split("\n");
      void window.showErrorMessage(`Edit Flow: ${reason}`);
    }
  }

  private async setUp(): Promise<void> {
    const { connection } = this.parts;
    const source = connection.environment?.source;
    if (source) void window.showInformationMessage(`Edit Flow runs from ${source}.`);
    else await connection.guide();
  }

  private active(uri?: string): { preview: Preview; document: TextDocument } | undefined {
    const document = typeof uri === "string" ? findDocument(uri) : shownIn(window.activeTextEditor);
    const preview = this.parts.previews.of(document);
    return document && preview && { document, preview };
  }
}

/** A request for the place of the cursor; servers that limit the diagnostics keep the nearest. */
function requestAt({ document, selection }: TextEditor, scope: Scope, client: Client): Request {
  const range = new Range(selection.start, selection.end);
  const distance = (item: Diagnostic): number => Math.abs(item.range.start.line - range.start.line);
  const diagnostics = languages
    .getDiagnostics(document.uri)
    .filter((item) => scope !== "selection" || item.range.intersection(range))
    .toSorted((a, b) => distance(a) - distance(b));
  return {
    textDocument: { uri: document.uri.toString(), version: document.version },
    scope,
    ...(scope === "file" ? {} : { range: { start: plain(range.start), end: plain(range.end) } }),
    diagnostics: client.diagnostics(diagnostics),
  };
}

function plain({ line, character }: Range["start"]): { line: number; character: number } {
  return { line, character };
}

function hunkAtCursor(document: TextDocument, preview: Preview): Hunk | undefined {
  const editor = window.activeTextEditor;
  const under = editor?.document === document ? at(preview.proposal, editor.selection.active) : undefined;
  return under ?? preview.current;
}

function reveal(document: TextDocument, { range: { start } }: Hunk): void {
  const editor = window.visibleTextEditors.find((visible) => visible.document === document);
  if (!editor) return;
  editor.selection = new Selection(start.line, start.character, start.line, start.character);
  editor.revealRange(editor.selection);
}

function findDocument(uri: string): TextDocument | undefined {
  return workspace.textDocuments.find((document) => document.uri.toString() === uri);
}
