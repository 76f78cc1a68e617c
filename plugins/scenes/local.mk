# Module scenes: generated scenes with captions.
modules_LTLIBRARIES += scenes.la
scenes_la_CFLAGS = $(MODULE_CFLAGS)
scenes_la_LDFLAGS = $(MODULE_LDFLAGS)
scenes_la_LIBADD = $(MODULE_LIBS)
scenes_la_SOURCES = \
	plugins/scenes/draw.c \
	plugins/scenes/features.c \
	plugins/scenes/module.c \
	plugins/scenes/scene.c \
	plugins/scenes/scenes.c \
	plugins/scenes/wording.c

noinst_HEADERS += \
	plugins/scenes/scene.h
