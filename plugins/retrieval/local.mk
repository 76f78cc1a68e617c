# Module retrieval: recalls, similarity matrices and their ensembles.
modules_LTLIBRARIES += retrieval.la
retrieval_la_CFLAGS = $(MODULE_CFLAGS)
retrieval_la_LDFLAGS = $(MODULE_LDFLAGS)
retrieval_la_LIBADD = $(MODULE_LIBS)
retrieval_la_SOURCES = \
	plugins/retrieval/module.c
