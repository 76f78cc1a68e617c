# libweft. Private headers and sources; keep the lists sorted.
lib_LTLIBRARIES += libweft-1.la

libweft_1_la_CPPFLAGS = $(AM_CPPFLAGS) -DG_LOG_DOMAIN='"weft"' \
	-DWEFT_MODULE_DIR='"$(modulesdir)"' -DWEFT_BUILD_MODULE_DIR='"$(abs_builddir)/.libs"' \
	-DWEFT_PIPELINE_DIR='"$(pipelinesdir)"' -DWEFT_SOURCE_PIPELINE_DIR='"$(abs_top_srcdir)/pipelines"'
libweft_1_la_LDFLAGS = -no-undefined -version-info 0:0:0
libweft_1_la_LIBADD = $(GLIB_LIBS) $(YAML_LIBS) $(JSON_LIBS)
libweft_1_la_SOURCES = \
	graph/aside.c \
	graph/attributes.c \
	graph/bind.c \
	graph/build.c \
	graph/bytes.c \
	graph/checkpoint.c \
	graph/compare.c \
	graph/child.c \
	graph/compose.c \
	graph/core.c \
	graph/crc32c.c \
	graph/differentiate.c \
	graph/digest.c \
	graph/directory.c \
	graph/document.c \
	graph/dot.c \
	graph/edit-bypass.c \
	graph/edit-insert.c \
	graph/edit-nodes.c \
	graph/edit-remove.c \
	graph/edit-report.c \
	graph/edit-run.c \
	graph/edit.c \
	graph/events.c \
	graph/execute.c \
	graph/gather.c \
	graph/graph.c \
	graph/infer.c \
	graph/initialise.c \
	graph/json.c \
	graph/language.c \
	graph/lines.c \
	graph/metrics.c \
	graph/model-file.c \
	graph/name-map.c \
	graph/npy-rows.c \
	graph/npy.c \
	graph/open.c \
	graph/order.c \
	graph/pass.c \
	graph/paths.c \
	graph/pickle.c \
	graph/places.c \
	graph/plan.c \
	graph/position.c \
	graph/print.c \
	graph/problems.c \
	graph/product.c \
	graph/progress.c \
	graph/prune.c \
	graph/random.c \
	graph/recipe-log.c \
	graph/recipe.c \
	graph/registry.c \
	graph/restore.c \
	graph/restrict.c \
	graph/run-keep.c \
	graph/run-log.c \
	graph/run-validate.c \
	graph/run.c \
	graph/safetensors-write.c \
	graph/safetensors.c \
	graph/schedule.c \
	graph/scope.c \
	graph/session.c \
	graph/shape.c \
	graph/signature.c \
	graph/snapshot.c \
	graph/store.c \
	graph/team.c \
	graph/tensor-file.c \
	graph/tensor.c \
	graph/torch-file.c \
	graph/trial-cases.c \
	graph/trial-data.c \
	graph/trial-gradient.c \
	graph/trial-probe.c \
	graph/trial-rig.c \
	graph/trial-same.c \
	graph/trial-speed.c \
	graph/trial.c \
	graph/value.c \
	graph/variables.c \
	graph/watch.c \
	graph/weights.c \
	graph/zip.c

weftincludedir = $(includedir)/weft-1/weft
weftinclude_HEADERS = \
	graph/dispatch.h \
	graph/lines.h \
	graph/npy-rows.h \
	graph/npy.h \
	graph/operator.h \
	graph/random.h \
	graph/session.h \
	graph/tensor.h

noinst_HEADERS = \
	graph/aside.h \
	graph/attributes.h \
	graph/bind.h \
	graph/bytes.h \
	graph/checkpoint.h \
	graph/compare.h \
	graph/child.h \
	graph/compose.h \
	graph/core.h \
	graph/digest.h \
	graph/directory.h \
	graph/document.h \
	graph/dot.h \
	graph/edit-private.h \
	graph/edit.h \
	graph/events.h \
	graph/execute.h \
	graph/graph.h \
	graph/json.h \
	graph/language.h \
	graph/metrics.h \
	graph/model-file.h \
	graph/name-map.h \
	graph/open.h \
	graph/pass.h \
	graph/pickle.h \
	graph/places.h \
	graph/plan.h \
	graph/position.h \
	graph/problems.h \
	graph/product.h \
	graph/progress.h \
	graph/recipe-private.h \
	graph/recipe.h \
	graph/registry.h \
	graph/restore.h \
	graph/restrict.h \
	graph/run-private.h \
	graph/run.h \
	graph/safetensors.h \
	graph/schedule.h \
	graph/scope.h \
	graph/session-private.h \
	graph/shape.h \
	graph/signature.h \
	graph/snapshot.h \
	graph/store.h \
	graph/team.h \
	graph/tensor-file.h \
	graph/torch-file.h \
	graph/trial-private.h \
	graph/trial.h \
	graph/variables.h \
	graph/watch.h \
	graph/weights.h \
	graph/zip.h
