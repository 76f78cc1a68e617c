## The weft command: one file per subcommand.
bin_PROGRAMS += weft
weft_CPPFLAGS = $(AM_CPPFLAGS) -DG_LOG_DOMAIN='"weft"'
weft_SOURCES = \
	graph/cli/ablate.c \
	graph/cli/apart.c \
	graph/cli/bootstrap.c \
	graph/cli/bootstrap.h \
	graph/cli/butd.c \
	graph/cli/butd.h \
	graph/cli/check-module.c \
	graph/cli/check-module.h \
	graph/cli/check.c \
	graph/cli/cli.h \
	graph/cli/common.c \
	graph/cli/compare.c \
	graph/cli/complete.c \
	graph/cli/config.c \
	graph/cli/convert.c \
	graph/cli/curve.c \
	graph/cli/curves.c \
	graph/cli/describe-json.c \
	graph/cli/describe-markdown.c \
	graph/cli/describe.c \
	graph/cli/describe.h \
	graph/cli/diff.c \
	graph/cli/ensemble.c \
	graph/cli/efficiency.c \
	graph/cli/evaluate.c \
	graph/cli/evaluation.c \
	graph/cli/evaluation.h \
	graph/cli/explain.c \
	graph/cli/format.c \
	graph/cli/graph.c \
	graph/cli/grid.c \
	graph/cli/grid.h \
	graph/cli/history.c \
	graph/cli/history.h \
	graph/cli/info.c \
	graph/cli/inside.c \
	graph/cli/inside.h \
	graph/cli/inspect.c \
	graph/cli/main.c \
	graph/cli/manual.c \
	graph/cli/manual.h \
	graph/cli/module-commands.c \
	graph/cli/new-operator.c \
	graph/cli/numbers.c \
	graph/cli/numbers.h \
	graph/cli/profile.c \
	graph/cli/run.c \
	graph/cli/runs.c \
	graph/cli/runs.h \
	graph/cli/schema.c \
	graph/cli/table.c \
	graph/cli/table.h \
	graph/cli/test-operator.c \
	graph/cli/train.c \
	graph/cli/trials-private.h \
	graph/cli/trials-run.c \
	graph/cli/trials.c \
	graph/cli/trials.h \
	graph/cli/variants.c \
	graph/cli/variants.h \
	graph/cli/verify.c \
	graph/cli/weights.c
weft_LDADD = libweft-1.la $(JSON_LIBS) $(GLIB_LIBS)

# What `weft new-operator` starts from.
templatesdir = $(pkgdatadir)/templates
dist_templates_DATA = \
	graph/cli/templates/Makefile.template \
	graph/cli/templates/README.template \
	graph/cli/templates/effect.c \
	graph/cli/templates/effect.yaml \
	graph/cli/templates/layer.c \
	graph/cli/templates/layer.yaml \
	graph/cli/templates/loss.c \
	graph/cli/templates/loss.yaml \
	graph/cli/templates/metric.c \
	graph/cli/templates/metric.yaml \
	graph/cli/templates/pointwise.c \
	graph/cli/templates/pointwise.yaml \
	graph/cli/templates/reduction.c \
	graph/cli/templates/reduction.yaml \
	graph/cli/templates/source.c \
	graph/cli/templates/source.yaml
