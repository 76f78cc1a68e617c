# Module text: tokenizers: BERT WordPiece and word vocabularies.
modules_LTLIBRARIES += text.la
text_la_CFLAGS = $(MODULE_CFLAGS)
text_la_LDFLAGS = $(MODULE_LDFLAGS)
text_la_LIBADD = $(MODULE_LIBS)
text_la_SOURCES = \
	plugins/text/module.c
