/* A pipeline of one graph named `train`, run step by step by a test.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute.h"
#include "pipeline.h"
#include "registry.h"

typedef struct
{
  WeftValue *document;
  WeftPipeline *pipeline;
  WeftGraph *graph;
  WeftPlan *plan;
  WeftStore *store;
  WeftTeam *team;
  WeftExecutor *executor;
} Rig;

static inline void
rig_clear (Rig *rig)
{
  g_clear_pointer (&rig->executor, weft_executor_free);
  g_clear_pointer (&rig->team, weft_team_free);
  g_clear_pointer (&rig->store, weft_store_free);
  g_clear_pointer (&rig->plan, weft_plan_free);
  g_clear_pointer (&rig->pipeline, weft_pipeline_free);
  g_clear_pointer (&rig->document, weft_value_unref);
}

/* What the graph's `collect` names may be read after each step. */
static inline gboolean
rig_open (Rig *rig, const char *yaml, guint64 seed, GError **error)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  *rig = (Rig){ 0 };
  rig->document = weft_document_parse (yaml, -1, "test", problems);
  if (rig->document != NULL)
    rig->pipeline = weft_pipeline_build (rig->document, problems);
  if (!weft_problems_to_error (problems, error))
    return FALSE;
  rig->graph = weft_pipeline_graph (rig->pipeline, "train");
  ck_assert_ptr_nonnull (rig->graph);
  rig->plan = weft_plan_new (rig->graph, error);
  rig->store = weft_store_new ();
  if (rig->plan == NULL || !weft_store_prepare (rig->store, rig->pipeline, seed, error))
    return FALSE;
  rig->team = weft_team_new (2, error);
  rig->executor = rig->team != NULL ? weft_executor_new (rig->plan, rig->store, rig->team, seed, error) : NULL;
  return rig->executor != NULL;
}

static inline void
rig_start (Rig *rig, const char *yaml)
{
  g_autoptr (GError) error = NULL;
  if (!rig_open (rig, yaml, 7, &error))
    ck_abort_msg ("%s", error->message);
}

/* Returns: FALSE at the end of a pass. */
static inline gboolean
rig_step (Rig *rig, guint64 step, guint64 epoch)
{
  g_autoptr (GError) error = NULL;
  WeftStepResult result = weft_executor_step (rig->executor, step, epoch, &error);
  if (result == WEFT_STEP_ERROR)
    ck_abort_msg ("%s", error->message);
  return result == WEFT_STEP_DONE;
}

/* Fails the test unless opening or the first step fails with a message that holds @part. */
static inline void
rig_expect_failure (const char *yaml, const char *part)
{
  Rig rig;
  g_autoptr (GError) error = NULL;
  if (rig_open (&rig, yaml, 7, &error))
    ck_assert_msg (weft_executor_step (rig.executor, 0, 0, &error) == WEFT_STEP_ERROR, "nothing was wrong, expected: %s", part);
  ck_assert_msg (strstr (error->message, part) != NULL, "\"%s\" does not hold \"%s\"", error->message, part);
  rig_clear (&rig);
}

static inline const WeftTensor *
rig_value (Rig *rig, const char *reference)
{
  WeftWire *wire = weft_graph_wire (rig->graph, reference);
  ck_assert_ptr_nonnull (wire);
  return weft_executor_value (rig->executor, wire);
}

static inline void
rig_feed (Rig *rig, const char *node, const WeftTensor *tensor)
{
  g_autoptr (GError) error = NULL;
  if (!weft_executor_feed (rig->executor, node, tensor, &error))
    ck_abort_msg ("%s", error->message);
}

/* Packs @n strings as u8[b:n]; free data and offsets. */
static inline WeftTensor
rig_text (const char *const *strings, guint n)
{
  WeftTensor text = { .type = WEFT_U8, .rank = 1, .samples = n, .offsets = g_new0 (gint32, n + 1) };
  GString *bytes = g_string_new (NULL);
  for (guint i = 0; i < n; i++)
    {
      g_string_append (bytes, strings[i]);
      text.offsets[i + 1] = (gint32) bytes->len;
    }
  text.shape[0] = (gint64) bytes->len;
  text.data = g_string_free (bytes, FALSE);
  return text;
}

/* A folder that is removed again with rig_remove(). */
static inline char *
rig_folder (void)
{
  char *folder = g_dir_make_tmp ("weft-test-XXXXXX", NULL);
  ck_assert_ptr_nonnull (folder);
  return folder;
}

static inline void
rig_remove (const char *path)
{
  g_autoptr (GDir) dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_build_filename (path, name, NULL);
      rig_remove (below);
    }
  g_remove (path);
}

static inline void
rig_write (const char *folder, const char *name, gconstpointer data, gssize length)
{
  g_autofree char *path = g_build_filename (folder, name, NULL), *parent = g_path_get_dirname (path);
  ck_assert_int_eq (g_mkdir_with_parents (parent, 0700), 0);
  ck_assert (g_file_set_contents (path, data, length, NULL));
}

static inline int
rig_main (Suite *suite)
{
  SRunner *runner = srunner_create (suite);
  weft_registry_load (NULL);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
