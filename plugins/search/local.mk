# Module search: indexes of embeddings, exact search, and a page for it where libsoup is there.
modules_LTLIBRARIES += search.la
search_la_CPPFLAGS = $(AM_CPPFLAGS) $(SOUP_CFLAGS)
search_la_CFLAGS = $(MODULE_CFLAGS)
search_la_LDFLAGS = $(MODULE_LDFLAGS)
search_la_LIBADD = $(MODULE_LIBS) $(JSON_LIBS) $(SOUP_LIBS)
search_la_SOURCES = \
	plugins/search/answer.c \
	plugins/search/answer.h \
	plugins/search/command-index.c \
	plugins/search/command-search.c \
	plugins/search/commands.h \
	plugins/search/encoder.c \
	plugins/search/encoder.h \
	plugins/search/index-writer.c \
	plugins/search/index-writer.h \
	plugins/search/index.c \
	plugins/search/index.h \
	plugins/search/module.c \
	plugins/search/nearest.c \
	plugins/search/nearest.h \
	plugins/search/scan.c \
	plugins/search/scan.h
if HAVE_SOUP
search_la_SOURCES += \
	plugins/search/page.c \
	plugins/search/page.h \
	plugins/search/serve.c
endif
