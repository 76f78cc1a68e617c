# Check suites. A suite tests/test-NAME.c needs one line: suites += tests/test-NAME. Programs may use everything in libweft; their data is
# found through WEFT_TEST_SOURCE_DIR and the build through WEFT_TEST_BUILD_DIR (strings, compiled in).
suites =
suites += tests/test-fit
suites += tests/test-faults
suites += tests/test-operators
suites += tests/test-authoring
suites += tests/test-user
suites += tests/test-checkpoint
suites += tests/test-recordings
suites += tests/test-retrieval
suites += tests/test-saver
suites += tests/test-safetensors
suites += tests/test-store
suites += tests/test-command
suites += tests/test-compose
suites += tests/test-contents
suites += tests/test-document
suites += tests/test-large
suites += tests/test-ablate
suites += tests/test-views
suites += tests/test-edit
suites += tests/test-mistakes
suites += tests/test-blis
suites += tests/test-schedule
suites += tests/test-lines
suites += tests/test-ensembles
suites += tests/test-npy
suites += tests/test-annotations
suites += tests/test-bootstrap
suites += tests/test-butd
suites += tests/test-nearest
suites += tests/test-page
suites += tests/test-search
suites += tests/test-byte-pairs
suites += tests/test-clip
suites += tests/test-photographs
suites += tests/test-photos-run
suites += tests/test-regions
suites += tests/test-region-files
suites += tests/test-scenes
suites += tests/test-scene-captions
suites += tests/test-text
suites += tests/test-random
suites += tests/test-randomness
suites += tests/test-alterations
suites += tests/test-definitions
suites += tests/test-tensor
suites += tests/test-team
suites += tests/test-torch-file
suites += tests/test-zip-bombs
suites += tests/test-parts
suites += tests/test-product
suites += tests/test-recompute
suites += tests/test-micro
suites += tests/test-vector
suites += tests/test-optim
suites += tests/test-losses
suites += tests/test-learning

AM_CPPFLAGS += -DWEFT_TEST_SOURCE_DIR='"$(abs_top_srcdir)"' -DWEFT_TEST_BUILD_DIR='"$(abs_top_builddir)"' \
	-DWEFT_TEST_CC='"$(CC)"' -DWEFT_TEST_SANITIZERS='"$(SANITIZER_CFLAGS)"'
LDADD = libweft-1.la $(CHECK_LIBS) $(JSON_LIBS) $(GLIB_LIBS)

noinst_HEADERS += \
	tests/bf16.h \
	tests/emulated-amx.h \
	tests/emulated-avx512.h \
	tests/flushing.h \
	tests/folder.h \
	tests/pictures.h \
	tests/http.h \
	tests/regions.h \
	tests/rig.h \
	tests/scenes.h \
	tests/shipped.h

# The folder as a whole: what tests are held against.
EXTRA_DIST += tests/recordings tests/checkpoints tests/mistakes tests/abi tests/broken tests/test-tutorial.sh

replay_sources = \
	graph/cli/butd.c \
	tests/replay-clip.c \
	tests/replay-files.c \
	tests/replay-mutants.c \
	tests/replay-recording.c \
	tests/replay-report.c \
	tests/replay-scores.c \
	tests/replay-setup.c \
	tests/replay-text.c \
	tests/replay.c \
	tests/replay.h
tests_test_faults_SOURCES = tests/test-faults.c tests/faults.c tests/faults.h
# The thread sanitizer calls these stand-ins before it can be called itself; it is linked all the same, for the libraries.
tests_test_faults_CFLAGS = $(AM_CFLAGS) -fno-sanitize=thread
tests_test_faults_LDFLAGS = $(SANITIZER_CFLAGS)
tests_test_blis_SOURCES = tests/test-blis.c ops/kernels/blis-choice.c
tests_test_bootstrap_SOURCES = tests/test-bootstrap.c graph/cli/bootstrap.c
tests_test_micro_SOURCES = tests/test-micro.c tests/emulated-amx-bf16.c tests/emulated-amx.c tests/emulated-bf16.c $(micro_sources)
tests_test_micro_CFLAGS = $(MODULE_CFLAGS) -Wno-psabi
tests_test_vector_SOURCES = tests/test-vector.c $(vector_sources)
tests_test_vector_CFLAGS = $(MODULE_CFLAGS)
tests_test_butd_SOURCES = tests/test-butd.c graph/cli/butd.c
tests_test_nearest_SOURCES = \
	plugins/search/index-writer.c \
	plugins/search/index.c \
	plugins/search/nearest.c \
	plugins/search/scan.c \
	tests/test-nearest.c
tests_replay_SOURCES = tests/replay-main.c $(replay_sources)
tests_test_recordings_SOURCES = tests/test-recordings.c $(replay_sources)

# Interrupts runs and compares; for hours with `make soak SOAK="--seconds 7200 --signals KILL,INT,TERM --interruptions 5"`.
EXTRA_DIST += tests/soak
SOAK = --rounds 20
.PHONY: soak
soak: all
	$(srcdir)/tests/soak --weft ./weft $(SOAK)

# What test-tutorial.sh tries. Installing links modules again and takes them away meanwhile: it is done before any suite needs them.
check_DATA = tests/root
.PHONY: tests/root
tests/root: all-am
	@rm -rf $@ && $(MAKE) install DESTDIR='$(abs_builddir)/$@' >$@.out 2>&1 || { tail -n 20 $@.out >&2; exit 1; }
CLEANFILES += tests/root.out
mostlyclean-local:
	rm -rf tests/root

# The suites under valgrind's memcheck, which hides AVX-512 and so runs other kernels; `make check-valgrind TESTS=tests/test-saver` is one.
MEMCHECK = valgrind --quiet --error-exitcode=99 --leak-check=no --suppressions=$(abs_top_srcdir)/tests/memcheck.supp
EXTRA_DIST += tests/memcheck.supp
# They train for more than ten minutes there, and what they train with is in other suites; asked for by name they run.
memcheck_slow = tests/test-faults tests/test-learning
.PHONY: check-valgrind
check-valgrind:
	CK_TIMEOUT_MULTIPLIER=200 WEFT_PATIENCE=200 G_SLICE=always-malloc $(MAKE) check \
	  TESTS='$(if $(filter command,$(origin TESTS)),$(TESTS),$(filter-out $(memcheck_slow),$(TESTS)))' \
	  LOG_COMPILER='$(SHELL) ./libtool --mode=execute $(MEMCHECK)'

if HAVE_CHECK
check_PROGRAMS += tests/replay
AM_CPPFLAGS += $(CHECK_CFLAGS)
check_PROGRAMS += $(suites)
TESTS += $(suites) tests/test-tutorial.sh
else
check-local:
	@echo 'The tests need Check (Debian: check; Fedora: check-devel): install it and run configure again.' >&2; exit 1
endif
