;;; A session of dap-mode in Emacs without a display. -*- lexical-binding: t -*-

;; Environment: CONFIG is the configuration of dap/README.md, MODULE the folder
;; of the test, STEP a step of it, PROGRAMS that of the real programs. What is
;; seen is printed, a line each.

(setq native-comp-deferred-compilation nil
      make-backup-files nil auto-save-default nil create-lockfiles nil
      ;; nothing is kept from one session to the next
      dap-breakpoints-file (make-temp-file "restep-emacs-breakpoints"))
(load (getenv "CONFIG") nil t)

(defvar stops 0)
(defvar ended nil)
(add-hook 'dap-stopped-hook (lambda (_) (setq stops (1+ stops))))
(add-hook 'dap-terminated-hook (lambda (_) (setq ended t)))

(defun wait (what done)
  "Let messages come until DONE says so."
  (let ((end (+ (float-time) 300)))
    (while (not (funcall done))
      (when (> (float-time) end) (error "Waited in vain: %s" what))
      (accept-process-output nil 0.05))))

(defun tell (what value) (princ (format "%s: %s\n" what value)))

(defun session () (dap--cur-session))

(defun body (command &rest args)
  "The body of the answer to a request."
  (apply #'dap-request (session) command args))

(defun place ()
  "Where the user is: his innermost frame."
  (let* ((frames (gethash "stackFrames" (body "stackTrace" :threadId (dap--debug-session-thread-id (session)))))
         (mine (seq-find (lambda (f) (not (equal (gethash "presentationHint" f) "subtle"))) frames)))
    mine))

(defun at (what)
  (let ((f (place)))
    (tell what (format "%s:%s" (gethash "name" f) (gethash "line" f)))))

(defun moved (what move)
  "Make a move and wait for the next stop."
  (let ((before stops))
    (funcall move)
    (wait what (lambda () (> stops before)))
    (at what)))

(defun config (&rest more)
  (append more (list :type "restep" :request "launch" :name "restep")))

;; A simulated run.
(moved "entry"
       (lambda ()
         (let ((conf (copy-tree (cdr (assoc "restep" dap-debug-template-configurations)))))
           (setq conf (plist-put conf :test "TestMachines"))
           (setq conf (plist-put conf :seed 1))
           (dap-debug (plist-put conf :program (getenv "MODULE"))))))
(moved "jump" (lambda () (restep-jump (string-to-number (getenv "STEP")))))
(tell "value" (gethash "result" (body "evaluate" :expression "r.RemoteAddr" :frameId (gethash "id" (place)))))
(moved "next" (lambda () (dap-next (session))))
(moved "back" #'restep-step-back)
(with-current-buffer (find-file-noselect (concat (file-name-as-directory (getenv "MODULE")) "machines_test.go"))
  (goto-char (point-min))
  (search-forward "log.Printf(\"starting server\")")
  (dap-breakpoint-add))
(moved "reverse" #'restep-reverse-continue)
(tell "threads" (mapconcat (lambda (th) (gethash "name" th)) (gethash "threads" (body "threads")) "; "))
(dap-breakpoint-delete-all)
(dap-continue (session) (dap--debug-session-thread-id (session)))
(wait "the end" (lambda () ended))
(tell "end" "yes")

;; Several real programs.
(setq ended nil)
(with-current-buffer (find-file-noselect (expand-file-name "work.go" (expand-file-name "work" (getenv "PROGRAMS"))))
  (goto-char (point-min))
  (search-forward "a breakpoint for all")
  (dap-breakpoint-add))
(moved "process"
       (lambda ()
         (dap-debug (config :mode "processes" :cwd (getenv "PROGRAMS")
                            :processes (vector (list :name "a" :program "race") (list :name "b" :program "race"))))))
(tell "processes" (mapconcat (lambda (th) (gethash "name" th)) (gethash "threads" (body "threads")) "; "))
(dap-disconnect (session))
(wait "the end of the processes" (lambda () ended))
(tell "end of processes" "yes")
