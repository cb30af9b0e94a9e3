;;; drive.el --- Run one scenario in Emacs and write what was seen as JSON  -*- lexical-binding: t; -*-

;;; Commentary:

;; Environment: EDITFLOW_SCENARIO, EDITFLOW_FILE, EDITFLOW_SERVER (a JSON list), EDITFLOW_ELISP (editflow.el),
;; EDITFLOW_REPORT.

;;; Code:

(require 'json)
(require 'package)
(add-to-list 'package-directory-list "/usr/share/emacs/site-lisp/elpa") ; eglot of Debian's Emacs 28
(package-initialize)
(require 'eglot)

(setq eglot-sync-connect t
      eglot-events-buffer-size 0
      eglot-confirm-server-initiated-edits nil
      jsonrpc-default-request-timeout 60)

(defvar drive-report nil)
(defvar editflow--job)

(defun drive-note (name value)
  "Report VALUE under NAME."
  (push (cons name value) drive-report))

(defun drive-wait (what condition)
  "Until CONDITION holds; WHAT it is."
  (let ((deadline (+ (float-time) 60)))
    (while (not (funcall condition))
      (when (> (float-time) deadline) (error "Waited in vain for %s" what))
      (accept-process-output nil 0.01))))

(defun drive-server ()
  "The command of the server."
  (append (json-read-from-string (getenv "EDITFLOW_SERVER")) nil))

(defun drive-open ()
  "Visit the file and start eglot."
  (find-file (getenv "EDITFLOW_FILE"))
  (python-mode)
  (apply #'eglot (eglot--guess-contact)))

(defun drive-open-with-preview ()
  "The same with editflow.el."
  (load (getenv "EDITFLOW_ELISP") nil t)
  (defvar editflow-program)
  (setq editflow-program (drive-server))
  (editflow-setup)
  (drive-open))

(defun drive-type (line text)
  "Type TEXT at the end of LINE; eglot sends the change as it does when idle."
  (undo-boundary)
  (goto-char (point-min))
  (forward-line (1- line))
  (end-of-line)
  (insert text)
  (undo-boundary)
  (eglot--signal-textDocument/didChange))

(defun drive-do (command &optional prefix)
  "COMMAND as one undo step, with PREFIX argument."
  (undo-boundary)
  (let ((current-prefix-arg prefix)) (call-interactively command))
  (undo-boundary))

(defun drive-undo ()
  "One step back, and further back when called again."
  (let ((inhibit-message t))
    (undo 1))
  (setq last-command 'undo))

(defun drive-hunks ()
  "What is shown, as (line . text)."
  (vconcat (mapcar (lambda (overlay)
                     `((line . ,(line-number-at-pos (overlay-start overlay)))
                       (new . ,(overlay-get overlay 'editflow-new))))
                   (and editflow--job (editflow--job-overlays editflow--job)))))

(defun drive-running ()
  "Whether a fix is under way."
  (and editflow--job (editflow--job-running editflow--job)))

(defun drive-first-step ()
  "Wait for a step."
  (drive-wait "a step" (lambda () (>= (editflow--job-seq editflow--job) 0))))

(defun drive-finish ()
  "Wait for the result and report the proposal."
  (drive-wait "the result" (lambda () (not (drive-running))))
  (drive-note 'proposal (drive-hunks)))

(defun scenario-stock ()
  "Without editflow.el: the server asks for its edit."
  (add-to-list 'eglot-server-programs `(python-mode . ,(drive-server)))
  (drive-open)
  (let* ((actions (eglot-code-actions (point-min) (point-max) "refactor.rewrite.editflow"))
         (command (plist-get (car (last actions)) :command)))
    (drive-note 'titles (vconcat (mapcar (lambda (action) (plist-get action :title)) actions)))
    (eglot-execute-command (eglot-current-server) (intern (plist-get command :command)) (plist-get command :arguments)))
  (drive-note 'text (buffer-string)))

(defun scenario-review ()
  "Steps are seen, then hunks are decided one by one."
  (drive-open-with-preview)
  (drive-do #'editflow-fix '(4))
  (let ((states nil))
    (while (drive-running)
      (unless (or (equal (drive-hunks) (car states)) (equal (drive-hunks) []))
        (push (drive-hunks) states))
      (accept-process-output nil 0.01))
    (drive-note 'states (vconcat (reverse states))))
  (drive-finish)
  (drive-note 'before (buffer-string))
  (goto-char (point-min))
  (drive-do #'editflow-next)
  (drive-do #'editflow-accept)
  (drive-note 'accepted_one (buffer-string))
  (drive-do #'editflow-next)
  (drive-do #'editflow-reject)
  (drive-note 'left (drive-hunks))
  (drive-do #'editflow-accept '(4))
  (drive-note 'accepted_all (buffer-string))
  (drive-note 'drawn (length (overlays-in (point-min) (point-max))))
  (drive-undo)
  (drive-note 'undone_once (buffer-string))
  (drive-undo)
  (drive-note 'undone_twice (buffer-string)))

(defun scenario-code-action ()
  "A code action previews."
  (drive-open-with-preview)
  (let* ((action (car (eglot-code-actions (point-min) (point-max) "refactor.rewrite.editflow")))
         (command (plist-get action :command)))
    (eglot-execute-command (eglot-current-server) (intern (plist-get command :command)) (plist-get command :arguments)))
  (drive-finish)
  (drive-note 'text (buffer-string)))

(defun scenario-cancel ()
  "Nothing is left, and the next fix works."
  (drive-open-with-preview)
  (drive-do #'editflow-fix '(4))
  (drive-first-step)
  (drive-do #'editflow-cancel)
  (drive-note 'gone (and (null editflow--job) (not editflow-review-mode)))
  (accept-process-output nil 1)
  (drive-note 'text (buffer-string))
  (drive-do #'editflow-fix '(4))
  (drive-finish))

(defun scenario-type-outside ()
  "The hunks move along."
  (drive-open-with-preview)
  (goto-char (point-min))
  (forward-line 19)
  (drive-do #'editflow-fix)
  (drive-first-step)
  (drive-type 1 "\n# typed above")
  (drive-finish)
  (drive-type 1 "\n# typed in review")
  (drive-do #'editflow-accept '(4))
  (drive-note 'text (buffer-string)))

(defun scenario-type-inside ()
  "The fix ends."
  (drive-open-with-preview)
  (drive-do #'editflow-fix '(4))
  (drive-first-step)
  (drive-type 20 "  # typed")
  (drive-finish)
  (drive-note 'text (buffer-string)))

(defun scenario-type-into-hunk ()
  "It is dropped, the others stay."
  (drive-open-with-preview)
  (drive-do #'editflow-fix '(4))
  (drive-finish)
  (drive-type 4 "  # typed")
  (drive-note 'left (drive-hunks))
  (drive-do #'editflow-accept '(4))
  (drive-note 'text (buffer-string)))

(condition-case failure
    (funcall (intern (concat "scenario-" (getenv "EDITFLOW_SCENARIO"))))
  (error (drive-note 'failure (format "%S" failure))))
(with-temp-file (getenv "EDITFLOW_REPORT")
  (set-buffer-file-coding-system 'utf-8)
  (insert (json-encode drive-report)))
(set-buffer-modified-p nil)
(ignore-errors (eglot-shutdown (eglot-current-server)))
(kill-emacs 0)

;;; drive.el ends here
