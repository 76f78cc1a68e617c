# Built-in operators, and everything that touches BLIS.
modules_LTLIBRARIES += ops.la
ops_la_CPPFLAGS = $(AM_CPPFLAGS) $(BLIS_CFLAGS)
ops_la_CFLAGS = $(MODULE_CFLAGS)
ops_la_LDFLAGS = $(MODULE_LDFLAGS)
ops_la_LIBADD = $(MODULE_LIBS) $(BLIS_LIBS)
ops_la_SOURCES = \
	ops/kernels/rows-body.h \
	ops/kernels/rows.c \
	ops/kernels/rows.h \
	ops/kernels/vector-avx2.c \
	ops/kernels/vector-avx512.c \
	ops/kernels/vector-baseline.c \
	ops/kernels/vector-body.h \
	ops/kernels/vector-lanes.h \
	ops/kernels/vector-tables.h \
	ops/kernels/vector.c \
	ops/kernels/vector.h \
	ops/module.c
