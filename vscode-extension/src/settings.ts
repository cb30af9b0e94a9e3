// The person's settings. Those that name a program, a model or a device are read from the user's own settings only:
// a workspace must not choose what runs, whatever the editor lets through.

import { type WorkspaceConfiguration, workspace } from "vscode";

export interface Settings {
  readonly preview: "stream" | "final" | "off";
  readonly maxHz: number;
  readonly jumpAfterAccept: boolean;
  readonly interpreter: string;
  /** What the server reads, as initialization options and as its configuration section. */
  readonly server: ServerSettings;
}

export interface ServerSettings {
  readonly model: string;
  readonly device: string;
  readonly daemon: boolean;
  readonly adapter: "auto" | "none";
  readonly threshold: number | null;
  readonly review: "auto" | "always";
  readonly exclude: readonly string[];
  readonly maxLines: number;
  readonly suspicion: boolean;
  readonly recordOutcomes: boolean;
}

/** Settings that a running server cannot change. */
export const NEEDS_RESTART = ["interpreter", "model", "device", "daemon", "preview", "maxHz"].map(
  (key) => `editflow.${key}`,
);

export function readSettings(): Settings {
  const section = workspace.getConfiguration("editflow");
  const reduced = workspace.getConfiguration("workbench").get<string>("reduceMotion") === "on";
  const preview = section.get<Settings["preview"]>("preview", "stream");
  return {
    preview: reduced && preview === "stream" ? "final" : preview,
    maxHz: section.get("maxHz", 20),
    jumpAfterAccept: section.get("jumpAfterAccept", false),
    interpreter: ownValue(section, "interpreter", ""),
    server: {
      model: ownValue(section, "model", "default"),
      device: ownValue(section, "device", "auto"),
      daemon: ownValue(section, "daemon", true),
      adapter: ownValue(section, "adapter", "auto"),
      threshold: section.get<number | null>("threshold", null),
      review: section.get<ServerSettings["review"]>("review", "auto"),
      exclude: section.get<string[]>("exclude", []),
      maxLines: section.get("maxLines", 10_000),
      suspicion: section.get("suspicion", false),
      recordOutcomes: ownValue(section, "recordOutcomes", false),
    },
  };
}

function ownValue<T>(section: WorkspaceConfiguration, key: string, otherwise: T): T {
  return section.inspect<T>(key)?.globalValue ?? otherwise;
}
