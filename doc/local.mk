# Documentation.
dist_doc_DATA = \
	doc/ablations.md \
	doc/design.md \
	doc/model.md \
	doc/signatures.md

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
