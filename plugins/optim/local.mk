# Module optim: optimizers.
modules_LTLIBRARIES += optim.la
optim_la_CFLAGS = $(MODULE_CFLAGS)
optim_la_LDFLAGS = $(MODULE_LDFLAGS)
optim_la_LIBADD = $(MODULE_LIBS)
optim_la_SOURCES = \
	plugins/optim/adamw.c \
	plugins/optim/module.c \
	plugins/optim/sgd.c \
	plugins/optim/update.c \
	plugins/optim/update.h
