# Module scenes: generated scenes with captions.
modules_LTLIBRARIES += scenes.la
scenes_la_CFLAGS = $(MODULE_CFLAGS)
scenes_la_LDFLAGS = $(MODULE_LDFLAGS)
scenes_la_LIBADD = $(MODULE_LIBS)
scenes_la_SOURCES = \
	plugins/scenes/module.c
