// Small makers of hunks and positions, and random ones that lie in order in a text.

import fc from "fast-check";
import type { Hunk, Position, Range } from "../src/protocol";

export function range(startLine: number, start: number, endLine = startLine, end = start): Range {
  return { start: { line: startLine, character: start }, end: { line: endLine, character: end } };
}

export function hunk(id: string, at: Range, newText: string, state: Hunk["state"] = "settled"): Hunk {
  return { id, range: at, newText, state, confidence: 0.9 };
}

/** The position of an offset, found by counting line breaks: slow, and obviously right. */
export function positionAt(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
}

export function rangeAt(text: string, start: number, end: number): Range {
  return { start: positionAt(text, start), end: positionAt(text, end) };
}

const fragment = fc.string({ unit: fc.constantFrom("a", "b", " ", "\n"), maxLength: 6 });
const document = fc.string({ unit: fc.constantFrom("x", "y", " ", "\n"), maxLength: 40 });

export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A text and up to five replacements in it, in order, at least `gap` characters apart. */
export function splices(gap: number): fc.Arbitrary<{ text: string; all: Splice[] }> {
  return fc
    .record({
      text: document,
      cuts: fc.array(fc.nat(40), { maxLength: 10 }),
      texts: fc.array(fragment, { minLength: 5 }),
    })
    .map(({ text, cuts, texts }) => {
      const bounds = cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b);
      const all: Splice[] = [];
      for (let i = 0; i + 1 < bounds.length && all.length < 5; i += 2) {
        const [start, end] = [bounds[i] ?? 0, bounds[i + 1] ?? 0];
        const last = all.at(-1);
        if (!last || start >= last.end + gap) all.push({ start, end, text: texts[all.length] ?? "" });
      }
      return { text, all };
    });
}

export function hunksOf(text: string, all: readonly Splice[]): Hunk[] {
  return all.map((splice, i) => hunk(`h${i + 1}`, rangeAt(text, splice.start, splice.end), splice.text));
}

/** `text` with every splice made, from the last to the first. */
export function spliced(text: string, all: readonly Splice[]): string {
  return all.reduceRight(
    (made, { start, end, text: fresh }) => made.slice(0, start) + fresh + made.slice(end),
    text,
  );
}
