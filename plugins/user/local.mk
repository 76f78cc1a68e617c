# Module user: operators of USER and of the methods it is compared with.
modules_LTLIBRARIES += user.la
user_la_CFLAGS = $(MODULE_CFLAGS)
user_la_LDFLAGS = $(MODULE_LDFLAGS)
user_la_LIBADD = $(MODULE_LIBS)
user_la_SOURCES = \
	plugins/user/agreement.c \
	plugins/user/cge.c \
	plugins/user/contrast.c \
	plugins/user/enhance.c \
	plugins/user/exponentials.c \
	plugins/user/exponentials.h \
	plugins/user/gpo.c \
	plugins/user/info_nce.c \
	plugins/user/key_queue.c \
	plugins/user/loops.h \
	plugins/user/module.c \
	plugins/user/momentum_update.c \
	plugins/user/position_codes.c \
	plugins/user/queue_enqueue.c \
	plugins/user/sge.c \
	plugins/user/similarity.c \
	plugins/user/similarity.h \
	plugins/user/sorted_sum.c \
	plugins/user/triplet_loss.c \
	plugins/user/unified_loss.c
