# Module retrieval: recalls, similarity matrices and their ensembles.
modules_LTLIBRARIES += retrieval.la
retrieval_la_CFLAGS = $(MODULE_CFLAGS)
retrieval_la_LDFLAGS = $(MODULE_LDFLAGS)
retrieval_la_LIBADD = $(MODULE_LIBS) $(JSON_LIBS)
retrieval_la_SOURCES = \
	plugins/retrieval/annotations.c \
	plugins/retrieval/crisscrossed.c \
	plugins/retrieval/eccv_caption.c \
	plugins/retrieval/ensemble.c \
	plugins/retrieval/matrix-writer.c \
	plugins/retrieval/matrix-writer.h \
	plugins/retrieval/matrix_file.c \
	plugins/retrieval/module.c \
	plugins/retrieval/positives.c \
	plugins/retrieval/positives.h \
	plugins/retrieval/ranks.c \
	plugins/retrieval/ranks.h \
	plugins/retrieval/recalls.c \
	plugins/retrieval/sheet-page.c \
	plugins/retrieval/sheet-page.h \
	plugins/retrieval/sheet.c \
	plugins/retrieval/similarity.c
