/* What every registered operator passes without asking: it has an example, which builds, runs, gives the same bits for any number of
 * threads, and has gradients that agree with central differences.
 *
 * Examples name files below `data`; they are written here, and the examples run in that folder. `net` stands for any network.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "execute.h"
#include "npy.h"
#include "registry.h"

/* Elements of each tensor whose gradient is compared. */
#define PROBES 10

typedef struct
{
  WeftPipeline *pipeline;
  WeftGraph *graph;
  WeftPlan *plan;
  WeftStore *store;
  WeftTeam *team;
  WeftExecutor *executor;
  GPtrArray *tensors; /* WeftTensor of feeds, in order of graph->feeds */
} Rig;

static char *
indent (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *out = g_string_new (NULL);

  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      g_string_append_printf (out, "      %s\n", lines[i]);
  return g_string_free (out, FALSE);
}

static WeftPipeline *
build (const char *example, const char *more)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *nodes = indent (example), *extra = indent (more);
  g_autofree char *text = g_strdup_printf ("pipeline: test\n"
                                           "modules:\n"
                                           "  affine:\n"
                                           "    inputs: {x: \"f32[n, d]\"}\n"
                                           "    nodes:\n"
                                           "      map:  {op: linear, x: x, units: 3}\n"
                                           "      norm: {op: batch_norm, x: map}\n"
                                           "    outputs: {y: norm}\n"
                                           "networks: {net: {module: affine}}\n"
                                           "graphs:\n"
                                           "  test:\n"
                                           "    mode: train\n"
                                           "    nodes:\n%s%s",
                                           nodes, extra);
  g_autoptr (WeftValue) document = weft_document_parse (text, -1, "example", problems);
  WeftPipeline *pipeline = document ? weft_pipeline_build (document, problems) : NULL;

  if (!weft_problems_to_error (problems, &error))
    ck_abort_msg ("%s\n%s", text, error->message);
  return pipeline;
}

/* Splits rows over samples unevenly; the last samples may be empty. */
static void
split_rows (WeftTensor *tensor)
{
  gint64 rows = tensor->shape[0], row = 0;

  tensor->offsets = g_new0 (gint32, tensor->samples + 1);
  for (gint64 i = 0; i < tensor->samples; i++)
    {
      gint64 n = i + 1 == tensor->samples ? rows - row : MIN (rows - row, 1 + rows * (i % 2 + 1) / (2 * tensor->samples));
      row += n;
      tensor->offsets[i + 1] = (gint32) row;
    }
}

static void
fill_random (WeftTensor *tensor, const WeftShape *shape, const char *name)
{
  WeftRandom random = weft_random_for (1, name, 0);
  gint64 n = weft_tensor_elements (tensor);

  tensor->data = g_malloc0 (weft_tensor_bytes (tensor) + 64);
  for (gint64 i = 0; i < n; i++)
    if (shape->type == WEFT_F32)
      ((float *) tensor->data)[i] = 2 * weft_random_uniform (random, (guint32) i) - 1;
    else if (shape->type == WEFT_I32)
      ((gint32 *) tensor->data)[i] = (gint32) weft_random_below (random, (guint32) i, shape->below ? (guint32) shape->below : 4);
    else if (shape->type == WEFT_U8)
      ((guint8 *) tensor->data)[i] = (guint8) ('a' + weft_random_below (random, (guint32) i, 26));
}

/* Full size, or as small as it gets. */
static gint64
size_of (const WeftDim *dim, gboolean small)
{
  if (!dim->symbol)
    return dim->size;
  return dim->size * (small ? 1 : dim->symbol->bound);
}

static void
make_feeds (Rig *rig, gboolean small)
{
  rig->tensors = g_ptr_array_new ();
  for (guint i = 0; i < rig->graph->feeds->len; i++)
    {
      WeftNode *node = rig->graph->feeds->pdata[i];
      const WeftShape *shape = &node->outputs[0]->shape;
      WeftTensor *tensor = g_new0 (WeftTensor, 1);
      g_autoptr (GError) error = NULL;
      tensor->type = shape->type;
      tensor->rank = shape->rank;
      for (guint k = 0; k < shape->rank; k++)
        tensor->shape[k] = size_of (&shape->dims[k], small);
      if (shape->rank && shape->dims[0].ragged)
        {
          tensor->samples = shape->dims[0].samples ? (small ? 1 : shape->dims[0].samples->bound) : shape->dims[0].sample_count;
          split_rows (tensor);
        }
      fill_random (tensor, shape, node->path);
      g_ptr_array_add (rig->tensors, tensor);
      if (!weft_executor_feed (rig->executor, node->path, tensor, &error))
        ck_abort_msg ("%s", error->message);
    }
}

static void
rig_up (Rig *rig, const char *example, const char *more, guint threads, gboolean small)
{
  g_autoptr (GError) error = NULL;

  rig->pipeline = build (example, more);
  rig->graph = rig->pipeline->graphs->pdata[0];
  for (guint i = 0; i < rig->graph->wires->len; i++)
    {
      WeftWire *wire = rig->graph->wires->pdata[i];
      /* A source computes what its example reads: for the rest there may be no files. */
      gboolean wanted = wire->kind == WEFT_WIRE_OUTPUT && wire->node && !wire->node->operator->is_source && weft_shape_is_known (&wire->shape);
      wire->read |= wanted;
      wire->kept |= wire->read && wire->kind != WEFT_WIRE_SAVED;
    }
  rig->plan = weft_plan_new (rig->graph, &error);
  ck_assert_msg (rig->plan != NULL, "%s", error ? error->message : "");
  rig->store = weft_store_new ();
  ck_assert_msg (weft_store_prepare (rig->store, rig->pipeline, 7, &error), "%s", error ? error->message : "");
  rig->team = weft_team_new (threads, NULL);
  rig->executor = weft_executor_new (rig->plan, rig->store, rig->team, 7, &error);
  ck_assert_msg (rig->executor != NULL, "%s", error ? error->message : "");
  make_feeds (rig, small);
}

static void
tear_down (Rig *rig)
{
  for (guint i = 0; i < rig->tensors->len; i++)
    {
      WeftTensor *tensor = rig->tensors->pdata[i];
      g_free (tensor->data);
      g_free (tensor->offsets);
      g_free (tensor);
    }
  g_ptr_array_unref (rig->tensors);
  weft_executor_free (rig->executor);
  weft_team_free (rig->team);
  weft_store_free (rig->store);
  weft_plan_free (rig->plan);
  weft_pipeline_free (rig->pipeline);
}

static void
step (Rig *rig)
{
  g_autoptr (GError) error = NULL;

  if (weft_executor_step (rig->executor, 3, 0, &error) != WEFT_STEP_DONE)
    ck_abort_msg ("%s", error ? error->message : "exhausted");
}

static double
objective (Rig *rig)
{
  step (rig);
  return *(const float *) weft_executor_value (rig->executor, weft_graph_wire (rig->graph, "probe"))->data;
}

static double
difference (Rig *rig, float *at, float h)
{
  float before = *at;
  double above, below;

  *at = before + h;
  above = objective (rig);
  *at = before - h;
  below = objective (rig);
  *at = before;
  return (above - below) / (2.0 * h);
}

/* Compares a sample of elements; where two step widths disagree the function has a kink, and there is nothing to compare. */
static void
compare_gradient (Rig *rig, const char *name, float *value, const WeftTensor *gradient)
{
  gint64 n = weft_tensor_elements (gradient);
  g_autofree float *kept = g_memdup2 (gradient->data, n * sizeof (float));
  double largest = 1e-3;

  for (gint64 i = 0; i < n; i++)
    largest = MAX (largest, fabs (kept[i]));
  for (int probe = 0; probe < MIN (PROBES, n); probe++)
    {
      gint64 i = n <= PROBES ? probe : (gint64) weft_random_below (weft_random_for (5, name, 0), (guint32) probe, (guint32) n);
      double wide = difference (rig, value + i, 4e-3f), narrow = difference (rig, value + i, 2e-3f);
      if (fabs (wide - narrow) > 0.01 * largest)
        continue;
      ck_assert_msg (fabs (narrow - kept[i]) <= 0.01 * largest + 1e-4, "%s[%d]: gradient %g, difference quotient %g", name, (int) i, kept[i], narrow);
    }
}

static char *
last_node (const char *example)
{
  g_auto (GStrv) lines = g_strsplit (g_strchomp (g_strdup (example)), "\n", -1);
  const char *last = "";

  for (guint i = 0; lines[i]; i++)
    if (*lines[i] && *lines[i] != ' ')
      last = lines[i];
  return g_strndup (last, strcspn (last, ":"));
}

static const WeftOperator *
operator_at (int index)
{
  return weft_registry_operators (NULL)[index];
}

/* Whether there may be a gradient to compare. */
static gboolean
is_testable (const WeftOperator *operator)
{
  return operator->example && !operator->is_source && !operator->effect && (operator->backward || !operator->forward);
}

/* The signature of a value of the same shape as what @node gives, or %NULL if no gradient can flow from it. */
static char *
probe_signature (const char *example, const char *node)
{
  WeftPipeline *pipeline = build (example, "");
  WeftWire *wire = weft_graph_wire (pipeline->graphs->pdata[0], node);
  char *signature = NULL;
  gboolean known = wire && wire->shape.type == WEFT_F32;

  for (guint i = 0; known && i < wire->shape.rank; i++)
    known = !wire->shape.dims[i].symbol || weft_graph_node (pipeline->graphs->pdata[0], wire->shape.dims[i].symbol->owner)->operator == &weft_feed_operator;
  if (known)
    signature = weft_shape_print (&wire->shape);
  weft_pipeline_free (pipeline);
  return signature;
}

/* Nodes that make a number to minimize of the example's last value, and its gradients; (nullable): it can have none. */
static char *
probe (const WeftOperator *operator)
{
  g_autofree char *node = NULL, *signature = NULL;

  if (!is_testable (operator))
    return NULL;
  node = last_node (operator->example);
  signature = probe_signature (operator->example, node);
  if (!signature)
    return NULL;
  if (strcmp (signature, "f32[]") == 0)
    return g_strdup_printf ("probe: {op: scale, x: %s, factor: 1.5}\ncheck: {op: gradients, minimize: probe}\n", node);
  return g_strdup_printf ("probe_weights: {op: feed, signature: \"%s\"}\nprobe: {op: weighted_sum, x: %s, weights: probe_weights}\n"
                          "check: {op: gradients, minimize: probe}\n",
                          signature, node);
}

START_TEST (gradients_agree_with_differences)
{
  const WeftOperator *operator = operator_at (_i);
  g_autofree char *more = NULL;
  Rig rig;

  if (!operator->example || !(more = probe (operator)))
    return;
  for (int small = 0; small < 2; small++)
    {
      rig_up (&rig, operator->example, more, 2, small);
      step (&rig);
      const GArray *targets = weft_graph_node (rig.graph, "check")->targets;
      for (guint i = 0; i < targets->len; i++)
        {
          const WeftTarget *target = &g_array_index (targets, WeftTarget, i);
          step (&rig);
          compare_gradient (&rig, target->path, weft_store_lookup (rig.store, target->path)->data, weft_executor_value (rig.executor, target->gradient));
        }
      for (guint i = 0; i < rig.graph->feeds->len; i++)
        {
          const WeftNode *feed = rig.graph->feeds->pdata[i];
          if (!feed->out_gradients[0])
            continue;
          step (&rig);
          compare_gradient (&rig, feed->path, ((WeftTensor *) rig.tensors->pdata[i])->data, weft_executor_value (rig.executor, feed->out_gradients[0]));
        }
      tear_down (&rig);
    }
}
END_TEST

static void
compare_tensors (const WeftTensor *a, const WeftTensor *b, const char *path, const char *operator)
{
  ck_assert_int_eq (weft_tensor_elements (a), weft_tensor_elements (b));
  ck_assert_msg (memcmp (a->data, b->data, weft_tensor_bytes (a)) == 0, "%s of %s differs with three threads", path, operator);
  if (a->offsets)
    ck_assert_mem_eq (a->offsets, b->offsets, (a->samples + 1) * sizeof (gint32));
}

/* All values, gradients included. Returns: how many of them are of the operator that the example is for. */
static guint
compare_values (const Rig *one, const Rig *three, const WeftOperator *operator)
{
  guint own = 0;

  for (guint i = 0; i < one->graph->wires->len; i++)
    {
      WeftWire *wire = one->graph->wires->pdata[i];
      if (!wire->node || !wire->kept || wire->node->operator == &weft_feed_operator)
        continue;
      own += wire->node->operator == operator;
      compare_tensors (weft_executor_value (one->executor, wire), weft_executor_value (three->executor, three->graph->wires->pdata[i]),
                       wire->node->path, operator->name);
    }
  return own;
}

/* All parameters, statistics, moments, queues and positions. */
static guint
compare_stores (const Rig *one, const Rig *three, const WeftOperator *operator)
{
  g_autoptr (GPtrArray) paths = weft_store_paths (one->store);

  for (guint i = 0; i < paths->len; i++)
    compare_tensors (weft_store_lookup (one->store, paths->pdata[i]), weft_store_lookup (three->store, paths->pdata[i]), paths->pdata[i],
                     operator->name);
  return paths->len;
}

START_TEST (threads_do_not_change_results)
{
  const WeftOperator *operator = operator_at (_i);
  g_autofree char *more = NULL;
  Rig one, three;

  if (!operator->example)
    return;
  more = probe (operator);
  for (int small = 0; small < 2; small++)
    {
      rig_up (&one, operator->example, more ? more : "", 1, small);
      rig_up (&three, operator->example, more ? more : "", 3, small);
      for (int steps = 0; steps < 2; steps++)
        {
          step (&one);
          step (&three);
          guint values = compare_values (&one, &three, operator), states = compare_stores (&one, &three, operator);
          /* What is replaced by its composition has no values of its own name. */
          ck_assert_msg (values + states > 0 || !operator->forward || operator == &weft_feed_operator, "nothing of %s was compared", operator->name);
        }
      tear_down (&one);
      tear_down (&three);
    }
}
END_TEST

START_TEST (descriptors_are_complete)
{
  const WeftOperator *operator = operator_at (_i);

  ck_assert_ptr_nonnull (operator->summary);
  ck_assert_msg (operator->example != NULL, "%s has no example", operator->name);
  for (const WeftAttribute *attribute = operator->attributes; attribute && attribute->name; attribute++)
    ck_assert_msg (attribute->meaning && *attribute->meaning, "%s.%s has no meaning", operator->name, attribute->name);
  for (const WeftPort *port = operator->inputs; port && port->name; port++)
    ck_assert_msg (port->meaning && *port->meaning, "%s.%s has no meaning", operator->name, port->name);
  if (operator->forward && !operator->backward)
    ck_assert_msg (operator->not_differentiable != NULL, "%s has no gradient and does not say why", operator->name);
}
END_TEST

static char *folder;

static void
write_array (const char *name, guint rank, const gint64 *shape)
{
  g_autofree char *path = g_build_filename ("data", name, NULL);
  float data[64];
  WeftTensor tensor = { .type = WEFT_F32, .rank = rank, .data = data };

  memcpy (tensor.shape, shape, rank * sizeof (gint64));
  for (guint i = 0; i < G_N_ELEMENTS (data); i++)
    data[i] = (float) (i % 7) - 3;
  g_assert_true (weft_tensor_elements (&tensor) <= (gint64) G_N_ELEMENTS (data) && weft_npy_write (path, &tensor, NULL));
}

static void
write_text (const char *name, const char *text)
{
  g_autofree char *path = g_build_filename ("data", name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
write_data (void)
{
  folder = g_dir_make_tmp ("weft-test-XXXXXX", NULL);
  g_assert_true (folder && g_chdir (folder) == 0 && g_mkdir ("data", 0700) == 0);
  write_array ("train_ims.npy", 3, (gint64[]){ 2, 3, 4 });
  write_array ("train_clip.npy", 2, (gint64[]){ 2, 4 });
  write_text ("train_caps.txt", "a dog\na dog runs\na cat\nthe cat\ntwo cats\na bird\nthe bird\nbirds fly\na tree\nthe tree\n");
  write_text ("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\n##a\n##b\n##c\n");
  write_array ("similarity.npy", 2, (gint64[]){ 2, 10 });
}

static void
remove_data (void)
{
  g_autoptr (GDir) dir = g_dir_open ("data", 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename ("data", name, NULL);
      g_remove (path);
    }
  g_rmdir ("data");
  if (g_chdir ("/") == 0)
    g_rmdir (folder);
  g_free (folder);
}

int
main (void)
{
  Suite *suite = suite_create ("operators");
  TCase *tests = tcase_create ("every operator");
  SRunner *runner;
  guint n;
  int failed;

  weft_registry_load (NULL);
  for (guint i = 0; i < weft_registry_modules ()->len; i++)
    {
      const WeftLoaded *loaded = weft_registry_modules ()->pdata[i];
      if (loaded->refused)
        printf ("%s: %s\n", loaded->path, loaded->refused);
    }
  weft_registry_operators (&n);
  tcase_set_timeout (tests, 120);
  write_data ();
  tcase_add_loop_test (tests, descriptors_are_complete, 0, (int) n);
  tcase_add_loop_test (tests, threads_do_not_change_results, 0, (int) n);
  tcase_add_loop_test (tests, gradients_agree_with_differences, 0, (int) n);
  suite_add_tcase (suite, tests);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  remove_data ();
  return failed != 0;
}
