# Built-in operators, and everything that touches BLIS.
micro_sources = \
	ops/kernels/micro-amx-allowed.c \
	ops/kernels/micro-amx-begin.h \
	ops/kernels/micro-amx-bf16.c \
	ops/kernels/micro-amx-body.h \
	ops/kernels/micro-amx-end.h \
	ops/kernels/micro-amx.c \
	ops/kernels/micro-avx2.c \
	ops/kernels/micro-avx512.c \
	ops/kernels/micro-bf16.c \
	ops/kernels/micro-body.h \
	ops/kernels/micro-finish.h \
	ops/kernels/micro-float.h \
	ops/kernels/micro-lanes-avx512.h \
	ops/kernels/micro-pairs.h \
	ops/kernels/micro.h
vector_sources = \
	ops/kernels/normal-pieces.c \
	ops/kernels/normal-pieces.h \
	ops/kernels/vector-avx2.c \
	ops/kernels/vector-avx512.c \
	ops/kernels/vector-baseline.c \
	ops/kernels/vector-body.h \
	ops/kernels/vector-lanes-avx2.h \
	ops/kernels/vector-lanes-avx512.h \
	ops/kernels/vector-lanes-baseline.h \
	ops/kernels/vector-lanes.h \
	ops/kernels/vector-tables.h \
	ops/kernels/vector.c \
	ops/kernels/vector.h
modules_LTLIBRARIES += ops.la
ops_la_CPPFLAGS = $(AM_CPPFLAGS) $(BLIS_CFLAGS)
ops_la_CFLAGS = $(MODULE_CFLAGS)
ops_la_LDFLAGS = $(MODULE_LDFLAGS)
ops_la_LIBADD = $(MODULE_LIBS) $(BLIS_LIBS)
ops_la_SOURCES = \
	$(micro_sources) \
	$(vector_sources) \
	ops/attention.c \
	ops/batch_norm.c \
	ops/concatenate.c \
	ops/embedding.c \
	ops/gru-gradient.c \
	ops/gru-schedule.h \
	ops/gru.c \
	ops/gru.h \
	ops/kernels/blis-choice.c \
	ops/kernels/blis-choice.h \
	ops/kernels/blis.c \
	ops/kernels/blis.h \
	ops/kernels/micro.c \
	ops/kernels/product-few.c \
	ops/kernels/product-parts.h \
	ops/kernels/product.c \
	ops/kernels/product.h \
	ops/kernels/rows-body.h \
	ops/kernels/rows-transpose.c \
	ops/kernels/rows.c \
	ops/kernels/rows-transpose.h \
	ops/kernels/rows.h \
	ops/l2_normalize.c \
	ops/layer_norm.c \
	ops/linear.c \
	ops/matrix_product.c \
	ops/module.c \
	ops/patches.c \
	ops/pointwise.c \
	ops/position_embedding.c \
	ops/position_batch_norm.c \
	ops/prepend.c \
	ops/reductions.c \
	ops/segment_max.c \
	ops/segment_pick.c \
	ops/segment_softmax.c \
	ops/segment_sum.c \
	ops/softmax.c \
	ops/spread.c \
	ops/tiles.h \
	ops/weigh.c
