# Fuzz targets; tests/fuzz/README.md says how they are run. A target NAME is tests/fuzz/NAME.c and needs three lines.
if LIBFUZZER
fuzz_engine =
else
fuzz_engine = tests/fuzz/driver.c tests/fuzz/mutate.c tests/fuzz/mutate.h
endif
fuzz_programs =
fuzz_programs += tests/fuzz/butd
tests_fuzz_butd_SOURCES = tests/fuzz/butd.c graph/cli/butd.c $(fuzz_engine)
tests_fuzz_butd_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/document
tests_fuzz_document_SOURCES = tests/fuzz/document.c $(fuzz_engine)
tests_fuzz_document_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/graph
tests_fuzz_graph_SOURCES = tests/fuzz/graph.c $(fuzz_engine)
tests_fuzz_graph_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/json
tests_fuzz_json_SOURCES = tests/fuzz/json.c $(fuzz_engine)
tests_fuzz_json_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/lexicon
tests_fuzz_lexicon_SOURCES = tests/fuzz/lexicon.c plugins/text/lexicon.c plugins/text/split.c $(fuzz_engine)
tests_fuzz_lexicon_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/lines
tests_fuzz_lines_SOURCES = tests/fuzz/lines.c $(fuzz_engine)
tests_fuzz_lines_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/name-map
tests_fuzz_name_map_SOURCES = tests/fuzz/name-map.c $(fuzz_engine)
tests_fuzz_name_map_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/npy
tests_fuzz_npy_SOURCES = tests/fuzz/npy.c $(fuzz_engine)
tests_fuzz_npy_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/pickle
tests_fuzz_pickle_SOURCES = tests/fuzz/pickle.c $(fuzz_engine)
tests_fuzz_pickle_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/pipeline
tests_fuzz_pipeline_SOURCES = tests/fuzz/pipeline.c $(fuzz_engine)
tests_fuzz_pipeline_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/safetensors
tests_fuzz_safetensors_SOURCES = tests/fuzz/safetensors.c $(fuzz_engine)
tests_fuzz_safetensors_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/schedule
tests_fuzz_schedule_SOURCES = tests/fuzz/schedule.c $(fuzz_engine)
tests_fuzz_schedule_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/signature
tests_fuzz_signature_SOURCES = tests/fuzz/signature.c $(fuzz_engine)
tests_fuzz_signature_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/torch-file
tests_fuzz_torch_file_SOURCES = tests/fuzz/torch-file.c $(fuzz_engine)
tests_fuzz_torch_file_LDFLAGS = $(FUZZER_LDFLAGS)
fuzz_programs += tests/fuzz/zip
tests_fuzz_zip_SOURCES = tests/fuzz/zip.c $(fuzz_engine)
tests_fuzz_zip_LDFLAGS = $(FUZZER_LDFLAGS)

noinst_HEADERS += tests/fuzz/fuzz.h
check_PROGRAMS += $(fuzz_programs)
TESTS += tests/fuzz/run.sh
EXTRA_DIST += tests/fuzz/README.md tests/fuzz/run.sh tests/fuzz/seeds tests/fuzz/regressions

# make fuzz SECONDS=3600 TARGETS='npy zip': each target for that long; what is found lies in the build folder.
SECONDS = 60
.PHONY: fuzz
fuzz: all $(fuzz_programs)
	$(AM_TESTS_ENVIRONMENT) srcdir='$(srcdir)' $(SHELL) $(srcdir)/tests/fuzz/run.sh -max_total_time='$(SECONDS)' $(TARGETS)
