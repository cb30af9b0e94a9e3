// The status bar item: the model, its device, what it does now, how much is left to decide. A click opens the menu.

import { type Disposable, StatusBarAlignment, ThemeColor, window, workspace } from "vscode";
import type { Preview } from "./preview";
import type { Status } from "./protocol";
import { type Words, describe } from "./words";

const NOTICE_MS = 6000;

export class StatusItem implements Disposable {
  private readonly item = window.createStatusBarItem("editflow.status", StatusBarAlignment.Right, 90);
  private server: Status = { kind: "inactive", model: null, device: null, queue: 0, message: "" };
  private preview: Preview | undefined;
  private notice = "";
  private timer: NodeJS.Timeout | undefined;

  constructor() {
    this.item.name = "Edit Flow";
    this.item.command = "editflow.menu";
    this.paint();
    this.item.show();
  }

  get words(): Words {
    return describe(this.server, this.preview, this.notice);
  }

  setServer(status: Status): void {
    this.server = status;
    this.paint();
  }

  setPreview(preview: Preview | undefined): void {
    this.preview = preview;
    if (preview?.phase === "running") this.notice = "";
    this.paint();
  }

  /** Says something once; it stays for some seconds. */
  say(notice: string): void {
    this.notice = notice;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.say(""), NOTICE_MS);
    this.paint();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.item.dispose();
  }

  private paint(): void {
    const { icon, text, tooltip, severity } = this.words;
    const still = workspace.getConfiguration("workbench").get<string>("reduceMotion") === "on";
    this.item.text = `$(${still ? icon.replace("~spin", "") : icon}) ${text}`;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label: `Edit Flow: ${text}. ${tooltip}`, role: "button" };
    this.item.backgroundColor = severity && new ThemeColor(`statusBarItem.${severity}Background`);
  }
}
