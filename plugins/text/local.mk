# Module text: tokenizers: BERT WordPiece, CLIP's byte pairs and word vocabularies.
modules_LTLIBRARIES += text.la
text_la_CFLAGS = $(MODULE_CFLAGS)
text_la_LDFLAGS = $(MODULE_LDFLAGS)
text_la_LIBADD = $(MODULE_LIBS) $(JSON_LIBS)
text_la_SOURCES = \
	plugins/text/alter.c \
	plugins/text/basic.c \
	plugins/text/byte-pairs.c \
	plugins/text/clean.c \
	plugins/text/lexicon.c \
	plugins/text/merges.c \
	plugins/text/module.c \
	plugins/text/split.c \
	plugins/text/wordpiece.c \
	plugins/text/words.c

noinst_HEADERS += \
	plugins/text/basic.h \
	plugins/text/caption.h \
	plugins/text/clean.h \
	plugins/text/lexicon.h \
	plugins/text/merges.h \
	plugins/text/split.h \
	plugins/text/words.h
