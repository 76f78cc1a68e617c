# Module vision: photographs. It needs libvips.
if HAVE_VIPS
modules_LTLIBRARIES += vision.la
endif
vision_la_CFLAGS = $(MODULE_CFLAGS) $(VIPS_CFLAGS)
vision_la_LDFLAGS = $(MODULE_LDFLAGS)
vision_la_LIBADD = $(MODULE_LIBS) $(JSON_LIBS)
vision_la_SOURCES = \
	plugins/vision/album-json.c \
	plugins/vision/album.c \
	plugins/vision/cache.c \
	plugins/vision/crew.c \
	plugins/vision/decoder.c \
	plugins/vision/feature_cache.c \
	plugins/vision/loader.c \
	plugins/vision/module.c \
	plugins/vision/photographs.c \
	plugins/vision/picture.c \
	plugins/vision/resample.c

noinst_HEADERS += \
	plugins/vision/album.h \
	plugins/vision/cache.h \
	plugins/vision/crew.h \
	plugins/vision/decoder.h \
	plugins/vision/loader.h \
	plugins/vision/picture.h \
	plugins/vision/resample.h
