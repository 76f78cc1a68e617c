# Documentation.
dist_doc_DATA = \
	doc/ablations.md \
	doc/design.md \
	doc/model.md \
	doc/signatures.md \
	doc/tutorial.md

# Lessons: built and run by tests/test-authoring.
lessonsdir = $(docdir)/lessons
dist_lessons_DATA = \
	doc/lessons/1-pointwise.c \
	doc/lessons/2-parameter.c \
	doc/lessons/3-shape.c \
	doc/lessons/4-loss.c \
	doc/lessons/5-state.c \
	doc/lessons/6-composition.c \
	doc/lessons/7-source.c \
	doc/lessons/8-stacked-attention.c \
	doc/lessons/8-stacked-attention.yaml \
	doc/lessons/9-session.c \
	doc/lessons/9-session.yaml

# The Python module has no build.
weftpythondir = $(pkgdatadir)/python
dist_weftpython_DATA = python/weft.py
EXTRA_DIST += python/test-weft.py

# Manual pages come from the command's tables of options, the reference of operators from their descriptors.
man1dir = $(mandir)/man1
CLEANFILES += doc/reference.md doc/man.stamp
GENERATE = ASAN_OPTIONS=detect_leaks=0 LC_ALL=C.UTF-8 WEFT_PLUGIN_PATH= XDG_DATA_HOME=/nonexistent ./weft$(EXEEXT)

doc/man.stamp: weft$(EXEEXT) $(modules_LTLIBRARIES)
	$(AM_V_GEN)$(MKDIR_P) doc/man && rm -f doc/man/*.1 && $(GENERATE) --manual > doc/man/weft.1 \
	  && for command in `$(GENERATE) --commands`; do \
	    $(GENERATE) $$command --manual > doc/man/weft-$$command.1 || exit 1; \
	  done && touch $@

doc/reference.md: weft$(EXEEXT) $(modules_LTLIBRARIES)
	$(AM_V_GEN)$(MKDIR_P) doc && $(GENERATE) inspect --markdown > $@.new && mv $@.new $@

all-local: doc/man.stamp doc/reference.md

install-data-local: doc/man.stamp doc/reference.md
	$(MKDIR_P) "$(DESTDIR)$(man1dir)" "$(DESTDIR)$(docdir)"
	$(INSTALL_DATA) doc/man/*.1 "$(DESTDIR)$(man1dir)"
	$(INSTALL_DATA) doc/reference.md "$(DESTDIR)$(docdir)"

uninstall-local:
	rm -f "$(DESTDIR)$(man1dir)"/weft.1 "$(DESTDIR)$(man1dir)"/weft-*.1 "$(DESTDIR)$(docdir)/reference.md"

clean-local:
	rm -rf doc/man

bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
dist_bashcompletion_DATA = doc/completions/weft.bash
dist_zshcompletion_DATA = doc/completions/_weft
