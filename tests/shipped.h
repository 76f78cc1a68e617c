/* Pipelines as they are shipped, on small data made here: composed from their files, with sizes set as on the command line; overlays
 * only leave out what is not looked at.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <math.h>

#include "compose.h"
#include "npy.h"
#include "pipeline.h"
#include "places.h"
#include "rig.h"

#define IMAGES 256
#define CAPTIONS (5 * IMAGES)
#define REGIONS 36
#define WIDTH 32
#define WORDS 30
#define VOCABULARY 64
#define MILLION 1000000

/* Ids in the vocabularies: those of special pieces, and those of the two pieces of the one word that captions consist of. */
#define CLS 2
#define SEP 3
#define MASK 4
#define FIRST 5
#define SECOND 6

static char *shipped_folder;

static inline void
shipped_write_features (void)
{
  g_autofree char *path = g_build_filename (shipped_folder, "train_ims.npy", NULL);
  g_autofree float *values = g_new (float, IMAGES *REGIONS *WIDTH);
  WeftTensor tensor = { .type = WEFT_F32, .rank = 3, .shape = { IMAGES, REGIONS, WIDTH }, .data = values };
  WeftRandom random = weft_random_for (1, "features", 0);
  for (guint32 i = 0; i < IMAGES * REGIONS * WIDTH; i++)
    values[i] = weft_random_normal (random, i);
  /* The first number of a region says which it is. */
  for (guint32 i = 0; i < IMAGES * REGIONS; i++)
    values[i * WIDTH] = (float) (i % REGIONS);
  ck_assert (weft_npy_write (path, &tensor, NULL));
}

/* Captions repeat one word of two pieces, or of one id. */
static inline void
shipped_write_texts (void)
{
  g_autoptr (GString) pieces = g_string_new ("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nwo\n##rd\n"), captions = g_string_new (NULL);
  g_autoptr (GString) words = g_string_new ("{\"word2idx\": {\"<pad>\": 0, \"<unk>\": 4, \"<start>\": 2, \"<end>\": 3, \"word\": 5");
  for (guint i = 7; i < VOCABULARY; i++)
    g_string_append_printf (pieces, "other%u\n", i);
  for (guint i = 6; i < VOCABULARY; i++)
    g_string_append_printf (words, ", \"other%u\": %u", i, i);
  g_string_append (words, "}}");
  for (guint i = 0; i < CAPTIONS * WORDS; i++)
    g_string_append (captions, i % WORDS + 1 < WORDS ? "word " : "word\n");
  rig_write (shipped_folder, "vocab.txt", pieces->str, (gssize) pieces->len);
  rig_write (shipped_folder, "vocab.json", words->str, (gssize) words->len);
  rig_write (shipped_folder, "train_caps.txt", captions->str, (gssize) captions->len);
}

static inline void
shipped_set_up (void)
{
  shipped_folder = rig_folder ();
  shipped_write_features ();
  shipped_write_texts ();
  /* Only what is drawn before networks. */
  rig_write (shipped_folder, "sources.yaml",
             "networks: {image: null, text: null}\n"
             "graphs:\n"
             "  train:\n"
             "    nodes: {v: null, t: null, loss: null, update: null}\n"
             "    collect: {regions: pairs.regions, tokens: tokens.tokens}\n"
             "  images: null\n  captions: null\n  scores: null\n"
             "run: null\n",
             -1);
  rig_write (shipped_folder, "sources-with-keys.yaml",
             "include: [sources.yaml]\n"
             "graphs: {train: {nodes: {momentum: null, v_key: null, t_key: null, queues: null, enqueue: null}}}\n",
             -1);
  rig_write (shipped_folder, "sources-of-coco.yaml",
             "include: [sources-with-keys.yaml]\ngraphs: {folds: null, crisscrossed: null, eccv: null}\n", -1);
}

static inline void
shipped_tear_down (void)
{
  rig_remove (shipped_folder);
  g_free (shipped_folder);
}

/* Builds a shipped pipeline; @more: further settings, one a line. */
static inline WeftPipeline *
shipped_compose (const char *name, const char *overlay, const char *more, WeftValue **document)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_strdup_printf ("%s/pipelines/%s.yaml", WEFT_TEST_SOURCE_DIR, name);
  g_autofree char *file = overlay != NULL ? g_build_filename (shipped_folder, overlay, NULL) : NULL;
  g_autofree char *all = g_strdup_printf ("data=%s\nregions=%d\nwidth=%d%s%s", shipped_folder, REGIONS, WIDTH, more != NULL ? "\n" : "",
                                          more != NULL ? more : "");
  g_auto (GStrv) settings = g_strsplit (all, "\n", -1);
  const char *const overlays[] = { file, NULL }, *const search[] = { weft_places_pipelines (), NULL };
  WeftComposition composition = { .path = path, .overlays = overlays, .settings = (const char *const *) settings, .search = search };
  *document = weft_compose (&composition, problems);
  WeftPipeline *pipeline = *document != NULL ? weft_pipeline_build (*document, problems) : NULL;
  if (!weft_problems_to_error (problems, &error))
    ck_abort_msg ("%s: %s", name, error->message);
  return pipeline;
}

static inline gboolean
is_dropout (const WeftNode *node)
{
  return node->kind == WEFT_NODE_FORWARD && g_str_equal (node->op->name, "dropout");
}

static inline void
keep (WeftWire *wire)
{
  wire->read = wire->kept = TRUE;
}

/* Makes the graph `train` ready; what its dropouts take and give, and what it collects, can be looked at. */
static inline void
shipped_start (Rig *rig, const char *name, const char *overlay, const char *more, guint threads, guint64 seed)
{
  g_autoptr (GError) error = NULL;
  *rig = (Rig){ 0 };
  rig->pipeline = shipped_compose (name, overlay, more, &rig->document);
  rig->graph = weft_pipeline_graph (rig->pipeline, "train");
  for (guint i = 0; i < rig->graph->nodes->len; i++)
    {
      WeftNode *node = rig->graph->nodes->pdata[i];
      if (is_dropout (node))
        {
          keep (node->inputs[0].wires[0]);
          keep (node->outputs[0]);
        }
    }
  for (guint i = 0; i < rig->graph->collects->len; i++)
    keep (g_array_index (rig->graph->collects, WeftCollect, i).wire);
  rig->plan = weft_plan_new (rig->graph, &error);
  rig->store = weft_store_new ();
  rig->team = weft_team_new (threads, &error);
  ck_assert_msg (rig->plan && rig->team && weft_store_prepare (rig->store, rig->pipeline, seed, &error), "%s", error ? error->message : "");
  rig->executor = weft_executor_new (rig->plan, rig->store, rig->team, seed, &error);
  ck_assert_msg (rig->executor != NULL, "%s", error ? error->message : "");
}

/* A step; at the end of a pass the first one of the next. */
static inline void
shipped_step_on (Rig *rig, guint64 step, guint64 *epoch)
{
  if (!rig_step (rig, step, *epoch))
    ck_assert (rig_step (rig, step, ++*epoch));
}

/* How far a count of @n draws of probability @p is from what is expected, in standard deviations. */
static inline double
deviations (double count, double n, double p)
{
  return fabs (count - n * p) / sqrt (n * p * (1 - p));
}

#define ck_assert_share(count, n, p, what)                                                                                                 \
  ck_assert_msg (deviations (count, n, p) < 5, "%s: %g of %g instead of %g, %.1f standard deviations off", what, (double) (count) / (n),   \
                 (double) (n), (double) (p), deviations (count, n, p))
