// Draws a proposal in the visible editors of its document: old text struck through, new text as a ghost after it, a mark
// in the gutter and in the overview ruler. The document itself is not changed.

import {
  type DecorationInstanceRenderOptions,
  type DecorationOptions,
  DecorationRangeBehavior,
  type Disposable,
  MarkdownString,
  OverviewRulerLane,
  Range,
  type TextEditor,
  type TextEditorDecorationType,
  ThemeColor,
  type Uri,
  window,
} from "vscode";
import { LINE_BREAK } from "./positions";
import { ghost, marks } from "./marks";
import type { Preview } from "./preview";
import type { Hunk } from "./protocol";

// Ghosts are all of one type, so that a draft becomes settled in one repaint.
const LAYERS = ["ghosts", "removed", "current", "gutter"] as const;
type Layer = (typeof LAYERS)[number];

export class Decorations implements Disposable {
  private readonly types: Record<Layer, TextEditorDecorationType>;
  private readonly drawn = new WeakMap<TextEditor, Map<Layer, string>>();

  constructor(media: (name: string) => Uri) {
    this.types = createTypes(media);
  }

  /** Shows exactly the hunks of `preview`, or none. */
  draw(editor: TextEditor, preview: Preview | undefined): void {
    const layers = Object.fromEntries(LAYERS.map((layer) => [layer, []])) as unknown as Record<
      Layer,
      DecorationOptions[]
    >;
    const reviewing = preview?.phase === "reviewing";
    for (const hunk of preview?.proposal.pending ?? []) {
      addHunk(layers, editor, hunk, reviewing && hunk === preview.current, reviewing);
    }
    for (const layer of LAYERS) this.set(editor, layer, layers[layer]);
  }

  dispose(): void {
    for (const type of Object.values(this.types)) type.dispose();
  }

  /** Leaves a layer alone that would look the same, so that nothing flickers while steps arrive. */
  private set(editor: TextEditor, layer: Layer, options: DecorationOptions[]): void {
    const drawn = this.drawn.get(editor) ?? new Map<Layer, string>();
    this.drawn.set(editor, drawn);
    const picture = JSON.stringify(options);
    if ((drawn.get(layer) ?? "[]") === picture) return;
    drawn.set(layer, picture);
    editor.setDecorations(this.types[layer], options);
  }
}

function addHunk(
  layers: Record<Layer, DecorationOptions[]>,
  editor: TextEditor,
  hunk: Hunk,
  current: boolean,
  actions: boolean,
): void {
  const { document } = editor;
  const hoverMessage = hover(hunk, document.getText(asRange(hunk)), document.uri, actions);
  for (const mark of marks(hunk, (line) => document.lineAt(line).text)) {
    const range = asRange(mark);
    if (!range.isEmpty) layers.removed.push({ range, hoverMessage });
    if (current && !range.isEmpty) layers.current.push({ range });
    if (mark.text)
      layers.ghosts.push({
        range: new Range(range.end, range.end),
        hoverMessage,
        renderOptions: ghostLook(mark.text, hunk, current),
      });
  }
  layers.gutter.push({ range: asRange(hunk) });
}

/** A border in every state, so that the text does not move when a draft settles. */
function ghostLook(text: string, hunk: Hunk, current: boolean): DecorationInstanceRenderOptions {
  const contentText = ghost(text);
  if (current)
    return {
      after: { contentText, border: "1px solid", borderColor: new ThemeColor("editflow.currentBorder") },
    };
  if (hunk.state === "settled") return { after: { contentText, border: "1px solid transparent" } };
  return {
    after: {
      contentText,
      border: "1px dotted",
      borderColor: new ThemeColor("editflow.addedForeground"),
      fontStyle: "italic",
    },
  };
}

function hover(hunk: Hunk, old: string, uri: Uri, actions: boolean): MarkdownString {
  const lines = (text: string, sign: string): string[] =>
    text ? text.split(LINE_BREAK).map((line) => sign + line) : [];
  const message = new MarkdownString();
  message.appendCodeblock([...lines(old, "- "), ...lines(hunk.newText, "+ ")].join("\n"), "diff");
  message.appendMarkdown(`Edit Flow, ${Math.round(100 * hunk.confidence)} % sure`);
  if (!actions) return message;
  const link = (command: string): string =>
    `command:${command}?${encodeURIComponent(JSON.stringify([uri.toString(), hunk.id]))}`;
  message.appendMarkdown(
    ` · [Accept](${link("editflow.acceptHunk")}) · [Reject](${link("editflow.rejectHunk")})`,
  );
  message.isTrusted = { enabledCommands: ["editflow.acceptHunk", "editflow.rejectHunk"] };
  return message;
}

function asRange({ range: { start, end } }: Pick<Hunk, "range">): Range {
  return new Range(start.line, start.character, end.line, end.character);
}

function createTypes(media: (name: string) => Uri): Record<Layer, TextEditorDecorationType> {
  const after = {
    color: new ThemeColor("editflow.addedForeground"),
    backgroundColor: new ThemeColor("editflow.addedBackground"),
  };
  const rangeBehavior = DecorationRangeBehavior.ClosedClosed;
  const create = window.createTextEditorDecorationType;
  return {
    ghosts: create({ rangeBehavior, after }),
    removed: create({
      rangeBehavior,
      textDecoration: "line-through",
      color: new ThemeColor("editflow.removedForeground"),
      backgroundColor: new ThemeColor("editflow.removedBackground"),
    }),
    current: create({
      rangeBehavior,
      outline: "1px solid",
      outlineColor: new ThemeColor("editflow.currentBorder"),
    }),
    gutter: create({
      rangeBehavior,
      gutterIconPath: media("gutter.svg"),
      gutterIconSize: "contain",
      overviewRulerColor: new ThemeColor("editflow.overviewRulerForeground"),
      overviewRulerLane: OverviewRulerLane.Right,
    }),
  };
}
