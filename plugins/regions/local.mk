# Module regions: precomputed region features.
modules_LTLIBRARIES += regions.la
regions_la_CFLAGS = $(MODULE_CFLAGS)
regions_la_LDFLAGS = $(MODULE_LDFLAGS)
regions_la_LIBADD = $(MODULE_LIBS)
regions_la_SOURCES = \
	plugins/regions/files.c \
	plugins/regions/module.c \
	plugins/regions/order.c \
	plugins/regions/reader.c \
	plugins/regions/region-features.c

noinst_HEADERS += \
	plugins/regions/files.h \
	plugins/regions/order.h \
	plugins/regions/reader.h
