;;; editflow.el --- Watch Edit Flow fix code, hunk by hunk  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1") (eglot "1.9"))
;; Keywords: languages, tools

;;; Commentary:

;; The steps of the language server editflow-lsp as overlays, over eglot:
;;
;;   (require 'editflow)
;;   (editflow-setup)
;;
;; then M-x eglot in a Python buffer, and M-x editflow-fix in a broken function.  The text stays as it is until
;; M-x editflow-accept.  Without this file eglot has the same code actions, and applies the edit when it is done.

;;; Code:

(require 'cl-lib)
(require 'diff-mode)                   ; its faces
(require 'eglot)
(require 'seq)

(defgroup editflow nil
  "Fix code by editing it."
  :group 'tools)

(defcustom editflow-program '("editflow-lsp")
  "The language server and its arguments."
  :type '(repeat string))

(defface editflow-old '((t :inherit diff-removed :strike-through t))
  "Text that a hunk takes away.")

(defface editflow-new '((t :inherit diff-added))
  "Text that a hunk writes.")

(defface editflow-draft '((t :inherit diff-changed))
  "Text that a hunk writes, while it may still change.")

(defclass editflow-server (eglot-lsp-server) ()
  "The language server of Edit Flow.")

(cl-defstruct editflow--job
  "A fix under way (RUNNING) or under review.
SEQ and STEP are those of the last step shown."
  id running (seq -1) (step 0) overlays accepted rejected)

(defvar-local editflow--job nil "The job of this buffer.")
(defvar-local editflow--writing nil "Whether a hunk is being written.")

(defvar editflow-review-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c ; a") #'editflow-accept)
    (define-key map (kbd "C-c ; r") #'editflow-reject)
    (define-key map (kbd "C-c ; n") #'editflow-next)
    (define-key map (kbd "C-c ; p") #'editflow-previous)
    (define-key map (kbd "C-c ; k") #'editflow-cancel)
    map)
  "Keys while a proposal is shown.")

(define-minor-mode editflow-review-mode
  "On while a proposal of Edit Flow is shown."
  :lighter (:eval (editflow--lighter)))

(defun editflow--lighter ()
  "What the mode line says: the pass, or the number of hunks."
  (when editflow--job
    (if (editflow--job-running editflow--job)
        (format " EditFlow:pass %d" (editflow--job-step editflow--job))
      (format " EditFlow:%d" (length (editflow--job-overlays editflow--job))))))


;;; Server

;;;###autoload
(defun editflow-setup ()
  "Let eglot manage Python buffers with `editflow-program'."
  (add-to-list 'eglot-server-programs
               `((python-mode python-ts-mode) . (editflow-server ,@editflow-program))))

(cl-defmethod eglot-client-capabilities ((_server editflow-server))
  "What eglot can do, and that the steps are understood."
  (plist-put (cl-call-next-method) :experimental '(:editflow (:version 1 :stepStream t :maxHz 20))))

(cl-defmethod eglot-handle-notification
  ((_server editflow-server) (_method (eql '$/editflow/step)) &key jobId seq step textDocument hunks &allow-other-keys)
  "Show HUNKS, the whole proposal after STEP, unless they are for another text."
  (when-let ((buffer (cl-find jobId (buffer-list) :test #'equal :key #'editflow--id)))
    (with-current-buffer buffer
      (when (and (editflow--job-running editflow--job)
                 (> seq (editflow--job-seq editflow--job))
                 (editflow--current-p textDocument))
        (setf (editflow--job-seq editflow--job) seq
              (editflow--job-step editflow--job) step)
        (editflow--show hunks)))))

(cl-defmethod eglot-execute-command ((_server editflow-server) (_command (eql 'editflow.fix)) arguments)
  "A code action was chosen: preview what it asks for in ARGUMENTS."
  (editflow--start (elt arguments 0)))

(when (fboundp 'eglot-execute)          ; eglot 1.16
  (cl-defmethod eglot-execute ((_server editflow-server) action)
    "The same for the newer interface; ACTION is a code action or a command."
    (let ((command (if (stringp (plist-get action :command)) action (plist-get action :command))))
      (if (equal (plist-get command :command) "editflow.fix")
          (editflow--start (elt (plist-get command :arguments) 0))
        (cl-call-next-method)))))

(defun editflow--id (buffer)
  "The id of the job of BUFFER, or nil."
  (when-let ((job (buffer-local-value 'editflow--job buffer)))
    (editflow--job-id job)))

(defun editflow--current-p (document)
  "Whether DOCUMENT is the present text of this buffer."
  (eql (plist-get document :version) (plist-get (eglot--VersionedTextDocumentIdentifier) :version)))

(defun editflow--execute (command argument done)
  "Ask the server for COMMAND with ARGUMENT.
DONE is called with its answer in this buffer."
  (let ((buffer (current-buffer)))
    (eglot--signal-textDocument/didChange)
    (jsonrpc-async-request
     (or (eglot-current-server) (user-error "Start the server first: M-x eglot"))
     :workspace/executeCommand `(:command ,command :arguments [,argument])
     :success-fn (lambda (answer)
                   (when (buffer-live-p buffer)
                     (with-current-buffer buffer (funcall done answer))))
     :error-fn (lambda (failure)
                 (when (buffer-live-p buffer)
                   (with-current-buffer buffer
                     (funcall done `(:status "error" :reason ,(plist-get failure :message))))))
     :timeout nil)))


;;; Hunks

(defalias 'editflow--region
  (if (fboundp 'eglot-range-region) 'eglot-range-region 'eglot--range-region)
  "Buffer positions (BEG . END) of a range of the protocol.")

(defun editflow--lines (overlay)
  "The text of the lines that OVERLAY stands on."
  (save-excursion
    (buffer-substring-no-properties
     (progn (goto-char (overlay-start overlay)) (line-beginning-position))
     (progn (goto-char (overlay-end overlay)) (line-end-position)))))

(defun editflow--draw (hunk)
  "An overlay for HUNK, that carries its range while text moves around it."
  (pcase-let* ((`(,beg . ,end) (editflow--region (plist-get hunk :range)))
               (overlay (make-overlay beg end nil t (= beg end))) ; what a neighbour writes at its end stays outside
               (new (plist-get hunk :newText))
               (face (if (equal (plist-get hunk :state) "draft") 'editflow-draft 'editflow-new)))
    (overlay-put overlay 'face 'editflow-old)
    (overlay-put overlay 'after-string (propertize new 'face face))
    (overlay-put overlay 'editflow-id (plist-get hunk :id))
    (overlay-put overlay 'editflow-new new)
    (overlay-put overlay 'editflow-lines (editflow--lines overlay))
    overlay))

(defun editflow--show (hunks)
  "Put HUNKS, of a proposal for the present text, in place of those shown."
  (mapc #'delete-overlay (editflow--job-overlays editflow--job))
  (setf (editflow--job-overlays editflow--job)
        (save-restriction (widen) (mapcar #'editflow--draw hunks)))
  (force-mode-line-update))

(defun editflow--keep (kept)
  "Show only the overlays KEPT; without any the review is over."
  (dolist (overlay (editflow--job-overlays editflow--job))
    (if (memq overlay kept)
        (overlay-put overlay 'editflow-lines (editflow--lines overlay))
      (delete-overlay overlay)))
  (setf (editflow--job-overlays editflow--job) kept)
  (unless (or kept (editflow--job-running editflow--job))
    (editflow--forget)))

(defun editflow--check (&rest _)
  "Drop the hunks whose lines were edited."
  (when (and editflow--job (not editflow--writing))
    (let* ((all (editflow--job-overlays editflow--job))
           (kept (cl-remove-if-not
                  (lambda (overlay) (equal (editflow--lines overlay) (overlay-get overlay 'editflow-lines)))
                  all)))
      (when (< (length kept) (length all))
        (editflow--keep kept)))))

(defun editflow--write (overlay)
  "Put the new text of OVERLAY in place of the old."
  (save-excursion
    (let ((beg (overlay-start overlay)) (end (overlay-end overlay)) (new (overlay-get overlay 'editflow-new)))
      (delete-overlay overlay)
      (goto-char end)
      (insert new)
      (delete-region beg end))))


;;; Jobs

(defun editflow--start (params)
  "Ask for a fix with PARAMS, a plist of the protocol's FixParams."
  (when editflow--job (editflow-cancel))
  (let* ((id (format "emacs-%d-%s" (emacs-pid) (format-time-string "%s%N")))
         (job (make-editflow--job :id id :running t))
         (asked (copy-sequence params)))
    (eglot--signal-textDocument/didChange)
    (cl-loop for (key value) on `(:jobId ,id :mode "preview") by #'cddr
             do (setq asked (plist-put asked key value)))
    (unless (plist-get asked :textDocument)
      (setq asked (plist-put asked :textDocument (eglot--VersionedTextDocumentIdentifier))))
    (setq editflow--job job)
    (editflow-review-mode 1)
    (add-hook 'after-change-functions #'editflow--check nil t)
    (editflow--execute "editflow.fix" asked
                       (lambda (result) (when (eq job editflow--job) (editflow--finish result))))))

(defun editflow--finish (result)
  "The job has ended with RESULT: review its hunks, or say why there are none."
  (pcase (plist-get result :status)
    ("done" (editflow--settle result))
    ("unchanged" (editflow--forget) (message "Edit Flow: nothing to fix"))
    (status (editflow--forget) (message "Edit Flow: %s" (or (plist-get result :reason) status)))))

(defun editflow--settle (result)
  "Begin the review of RESULT."
  (if (editflow--current-p (plist-get result :textDocument))
      (editflow--show (plist-get result :hunks))
    (editflow--keep (editflow--confirmed (plist-get result :hunks))))
  (setf (editflow--job-running editflow--job) nil)
  (let* ((overlays (editflow--job-overlays editflow--job))
         (count (length overlays)))
    (editflow--keep overlays)
    (message (if overlays "Edit Flow: %d hunk%s%s, %s accepts" "Edit Flow: the text has changed meanwhile, fix it again")
             count (if (= count 1) "" "s") (editflow--learned result)
             (substitute-command-keys "\\<editflow-review-mode-map>\\[editflow-accept]"))))

(defun editflow--learned (result)
  "What the model of RESULT has learned of the repository, in words."
  (let ((model (plist-get result :model)))
    (if (and model (string-match "\\+\\(.*\\)" model)) (concat " with " (match-string 1 model)) "")))

(defun editflow--confirmed (hunks)
  "The overlays that say the same as HUNKS, the result for an older text.
Those of the last step have moved along with what was typed since."
  (seq-filter
   (lambda (overlay)
     (let ((hunk (seq-find (lambda (hunk) (equal (plist-get hunk :id) (overlay-get overlay 'editflow-id))) hunks)))
       (equal (plist-get hunk :newText) (overlay-get overlay 'editflow-new))))
   (editflow--job-overlays editflow--job)))

(defun editflow--forget ()
  "The review is over: tell the server what became of the hunks."
  (when editflow--job
    (mapc #'delete-overlay (editflow--job-overlays editflow--job))
    (unless (editflow--job-running editflow--job)
      (jsonrpc-notify (eglot-current-server) :$/editflow/outcome
                      (list :jobId (editflow--job-id editflow--job)
                            :accepted (vconcat (editflow--job-accepted editflow--job))
                            :rejected (vconcat (editflow--job-rejected editflow--job))))))
  (setq editflow--job nil)
  (remove-hook 'after-change-functions #'editflow--check t)
  (editflow-review-mode -1))


;;; Commands

(defun editflow--line (position)
  "The line of POSITION, from 0."
  (1- (line-number-at-pos position t)))

;;;###autoload
(defun editflow-fix (&optional whole)
  "Fix the lines of the region, or the function around point.
With a prefix argument WHOLE, fix the buffer."
  (interactive "P")
  (let* ((here (list :line (editflow--line (point))
                     :character (save-excursion (back-to-indentation) (- (point) (line-beginning-position))))))
    (editflow--start
     (cond (whole '(:scope "file"))
           ((use-region-p)
            (list :scope "selection"
                  :range (list :start (list :line (editflow--line (region-beginning)) :character 0)
                               :end (list :line (1+ (editflow--line (region-end))) :character 0))))
           (t (list :scope "function" :range (list :start here :end here)))))))

(defun editflow--chosen (all)
  "The overlays to decide on: if not ALL, the first on this line."
  (unless (and editflow--job (not (editflow--job-running editflow--job)))
    (user-error "There is no proposal here to decide on"))
  (if all (editflow--job-overlays editflow--job)
    (list (or (cl-find-if (lambda (overlay)
                            (<= (editflow--line (overlay-start overlay)) (editflow--line (point))
                                (editflow--line (overlay-end overlay))))
                          (editflow--job-overlays editflow--job))
              (user-error "No hunk on this line: M-x editflow-next goes to one")))))

(defun editflow-accept (&optional all)
  "Write the hunk on this line into the buffer.
With a prefix argument ALL, write all that are left."
  (interactive "P")
  (let* ((chosen (editflow--chosen all))
         (rest (seq-difference (editflow--job-overlays editflow--job) chosen)))
    (dolist (overlay chosen)
      (push (overlay-get overlay 'editflow-id) (editflow--job-accepted editflow--job)))
    (let ((editflow--writing t))
      (mapc #'editflow--write (reverse chosen)))
    (editflow--keep rest)))

(defun editflow-reject (&optional all)
  "Drop the hunk on this line; with a prefix argument ALL, all."
  (interactive "P")
  (let ((chosen (editflow--chosen all)))
    (dolist (overlay chosen)
      (push (overlay-get overlay 'editflow-id) (editflow--job-rejected editflow--job)))
    (editflow--keep (seq-difference (editflow--job-overlays editflow--job) chosen))))

(defun editflow-cancel ()
  "Stop the fix that runs here, or reject what is left of its proposal."
  (interactive)
  (unless editflow--job (user-error "Nothing to cancel"))
  (if (not (editflow--job-running editflow--job))
      (editflow-reject t)
    (let ((id (editflow--job-id editflow--job)))
      (editflow--forget)
      (editflow--execute "editflow.cancel" (list :jobId id) #'ignore))))

(defun editflow--jump (before)
  "Go to the next hunk, or to the one BEFORE, around the end of the buffer."
  (let* ((places (sort (mapcar #'overlay-start (and editflow--job (editflow--job-overlays editflow--job)))
                       (if before #'> #'<)))
         (ahead (cl-find-if (lambda (place) (if before (< place (point)) (> place (point)))) places)))
    (goto-char (or ahead (car places) (user-error "There is no hunk to go to")))))

(defun editflow-next ()
  "Go to the next hunk."
  (interactive)
  (editflow--jump nil))

(defun editflow-previous ()
  "Go to the hunk before."
  (interactive)
  (editflow--jump t))

(provide 'editflow)
;;; editflow.el ends here
