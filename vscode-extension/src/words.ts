// What the status bar item says, as a pure function of the server's status and the preview of the active editor.

import type { Preview } from "./preview";
import type { Status } from "./protocol";

export interface Words {
  readonly icon: string;
  readonly text: string;
  readonly tooltip: string;
  readonly severity?: "warning" | "error";
}

type Shown = Pick<Preview, "phase" | "latest" | "proposal">;

export function describe(server: Status, preview: Shown | undefined, notice: string): Words {
  const tooltip = details(server);
  if (notice) return { icon: "edit", text: notice, tooltip };
  if (preview?.phase === "running")
    return { icon: "loading~spin", text: progress(preview), tooltip: `${tooltip}\nEscape cancels.` };
  if (preview?.phase === "reviewing")
    return { icon: "checklist", text: review(preview), tooltip: `${tooltip}\nCtrl+Enter accepts all.` };
  return { ...ofServer(server), tooltip };
}

export function count(hunks: number): string {
  return hunks === 1 ? "1 edit" : `${hunks} edits`;
}

function ofServer({ kind, model, queue, message }: Status): Omit<Words, "tooltip"> {
  const name = model?.split("@")[0] ?? "Edit Flow";
  if (kind === "loading") return { icon: "loading~spin", text: `${name}: loading` };
  if (kind === "busy")
    return { icon: "loading~spin", text: queue > 1 ? `${name}: ${queue} jobs` : `${name}: busy` };
  if (kind === "ready") return { icon: "edit", text: name };
  if (kind === "inactive") return { icon: "edit", text: "Edit Flow: off" };
  return { icon: kind, text: message || `Edit Flow: ${kind}`, severity: kind };
}

function progress({ latest, proposal }: Shown): string {
  if (!latest) return "reading";
  const total = latest.totalSteps === null ? "" : ` of ${latest.totalSteps}`;
  return `step ${latest.step}${total}, ${count(proposal.pending.length)}`;
}

function review({ proposal: { pending, accepted, rejected } }: Shown): string {
  const decided = accepted.length + rejected.length;
  return decided === 0
    ? `${count(pending.length)} to review`
    : `${pending.length} of ${count(pending.length + decided)} to review`;
}

function details({ model, device, message, adapter }: Status): string {
  const parts = [model && `model ${model}`, device && `on ${device}`].filter(Boolean).join(" ");
  const learned = adapter && `with ${adapter}, trained on this repository`;
  return [parts && `Edit Flow, ${parts}`, learned, message].filter(Boolean).join("\n") || "Edit Flow";
}
