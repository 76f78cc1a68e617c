/* Replaying recordings: pipelines from YAML, run on recorded inputs, compared with recorded outputs.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "execute.h"
#include "safetensors.h"

G_BEGIN_DECLS

/**
 * Report:
 * @rows: (element-type ReportRow): one per quantity, in order of first mention
 */
typedef struct
{
  GPtrArray *rows;
} Report;

typedef struct
{
  char *quantity;
  double worst;     /* largest relative difference */
  double tolerance; /* 0: has to be exact */
  char *where;      /* of the largest difference */
} ReportRow;

Report *report_new (void);
void report_free (Report *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Report, report_free)
void report_note (Report *report, const char *quantity, double tolerance, const char *where, double difference);
/* Whether every quantity is within its tolerance; an empty report is not. */
gboolean report_passes (const Report *report);
void report_print (const Report *report);

/* Largest difference of two arrays over the largest magnitude of the second; infinite if any value is not finite. */
double relative_difference (const float *values, const float *expected, gint64 n);
double largest_magnitude (const float *values, gint64 n);

/**
 * Setup:
 *
 * A composed pipeline with its store. Graphs are made ready by setup_graph().
 */
typedef struct
{
  WeftValue *document;
  WeftPipeline *pipeline;
  WeftStore *store;
  WeftTeam *team;
} Setup;

/* Composes tests/recordings/NAME with overlays and settings, builds it and loads weights. */
gboolean setup_open (Setup *setup, const char *name, const GPtrArray *overlays, const GPtrArray *settings, GError **error);
void setup_clear (Setup *setup);

typedef struct
{
  WeftGraph *graph;
  WeftPlan *plan;
  WeftExecutor *executor;
  guint64 step;
} Run;

/* Plans a graph. Wires that are to be looked at must have been marked as kept before. */
gboolean run_open (Run *run, const Setup *setup, const char *graph, GError **error);
void run_clear (Run *run);
gboolean run_step (Run *run, GError **error);
/* What the graph collects under @name; (nullable): not collected. */
const WeftTensor *run_value (const Run *run, const char *name);

/* A tensor of a file with memory of its own: floats as float32, integers as int32. */
WeftTensor *file_tensor (WeftSafetensors *file, const char *name, GError **error);
void file_tensor_free (WeftTensor *tensor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftTensor, file_tensor_free)
/* Whole dense or packed rows as ragged samples; takes over @offsets. */
void make_ragged (WeftTensor *tensor, gint32 *offsets, gint64 samples);

/* Metadata that is JSON: a number, or item @index of a list of (lists of) numbers; @fallback if it is not there. */
double metadata_number (const WeftSafetensors *file, const char *key, double fallback);
double metadata_item (const WeftSafetensors *file, const char *key, guint index, int inner);
guint metadata_length (const WeftSafetensors *file, const char *key);

void add_setting (GPtrArray *settings, const char *format, ...) G_GNUC_PRINTF (2, 3);

/**
 * ReplayOptions:
 * @vocabulary: (nullable): of a .txt file
 * @mutation: (nullable): a deliberate mistake, for recordings
 * @weights: (nullable): a file of the release that a recorded run is to start from, instead of what was recorded
 * @recording: (nullable): the recorded run that starts from a .pth file; default: the one beside it
 * @bf16: compute products of recorded runs from bfloat16, and tell differences against its tolerances
 */
typedef struct
{
  const char *vocabulary, *mutation, *weights, *recording;
  gboolean bf16;
} ReplayOptions;

/**
 * replay:
 * @path: a recording, a folder of a Hugging Face BERT or CLIP with expected.safetensors, recalls, losses, a .txt file with .ids beside it, a
 *   release's checkpoint NAME.pth or NAME-….pth with the run NAME.safetensors that starts from it, or a detector's dump NAME.tsv with
 *   NAME_ims.npy
 * @options: (nullable)
 *
 * Returns: whether it could be run at all; what came out is in @report
 */
gboolean replay (const char *path, const ReplayOptions *options, Report *report, GError **error);

gboolean replay_recording (WeftSafetensors *file, const char *path, const ReplayOptions *options, Report *report, GError **error);
gboolean replay_bert (const char *folder, Report *report, GError **error);
gboolean replay_clip (const char *folder, Report *report, GError **error);
gboolean replay_losses (WeftSafetensors *file, Report *report, GError **error);
gboolean replay_recalls (WeftSafetensors *file, Report *report, GError **error);
gboolean replay_checkpoint (const char *path, const ReplayOptions *options, Report *report, GError **error);
gboolean replay_dump (const char *path, Report *report, GError **error);
/* Token ids of the lines of a text, by a pipeline of tests/recordings. */
gboolean replay_ids (const char *pipeline, const char *path, const char *vocabulary, Report *report, GError **error);

/* Operators that make deliberate mistakes. */
gboolean mutants_register (GError **error);
const char *const *mutation_names (void);

G_END_DECLS
