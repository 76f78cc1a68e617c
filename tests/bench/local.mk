# Benchmarks: `make bench` builds the programs, tests/bench/run measures.
bench_programs =
bench_programs += tests/bench/products
bench_programs += tests/bench/search
bench_programs += tests/bench/steps
tests_bench_search_SOURCES = \
	plugins/search/index-writer.c \
	plugins/search/index.c \
	plugins/search/nearest.c \
	plugins/search/scan.c \
	tests/bench/search.c
tests_bench_search_CFLAGS = $(MODULE_CFLAGS)
tests_bench_products_CPPFLAGS = $(AM_CPPFLAGS) $(BLIS_CFLAGS)
tests_bench_products_LDADD = $(LDADD) $(BLIS_LIBS)
EXTRA_PROGRAMS += $(bench_programs)
EXTRA_DIST += \
	tests/bench/ABLATIONS.md \
	tests/bench/RESULTS.md \
	tests/bench/bert.yaml \
	tests/bench/bigru.yaml \
	tests/bench/clip.yaml \
	tests/bench/files.yaml \
	tests/bench/killed-ablation \
	tests/bench/photographs \
	tests/bench/photographs.yaml \
	tests/bench/rank.yaml \
	tests/bench/search-faiss.py \
	tests/bench/run
CLEANFILES += $(bench_programs)

.PHONY: bench
bench: all $(bench_programs)
