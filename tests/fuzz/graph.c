/* Random graphs of built-in operators, all of them valid: bytes choose operators, their inputs and sizes.
 *
 * Each is executed twice, over the planner's arena and with a place of its own for every value: results and gradients must have the same
 * bits. Gradients are held against a difference quotient along a random direction.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include <math.h>

#include "execute.h"
#include "pipeline.h"
#include "registry.h"

#define MOST_NODES 12
#define MOST_SAMPLES 3
#define MOST_ROWS 10
#define SEED 7

typedef struct
{
  const uint8_t *data;
  size_t left;
  GString *text;
  guint n;                          /* nodes so far */
  guint rows[2 * MOST_NODES + 4];   /* widths of values of a row each; by node, 0 if it is something else */
  guint sample[2 * MOST_NODES + 4]; /* … of a sample each */
} Writer;

static guint
take (Writer *self, guint n)
{
  if (self->left == 0)
    return 0;
  self->left--;
  return *self->data++ % n;
}

/* A node with values of this kind: one of the last ones more often than the first. */
static guint
pick (Writer *self, const guint *widths, guint width)
{
  guint back = take (self, 8), start = self->n - 1 - MIN (back, self->n - 1), i = start;
  while (widths[i] == 0 || (width > 0 && widths[i] != width))
    {
      i = i > 0 ? i - 1 : self->n - 1;
      if (i == start)
        return G_MAXUINT;
    }
  return i;
}

/* An operator of one input that is of the same form as its output. */
static void
write_map (Writer *self, guint *widths)
{
  static const char *const maps[] = { "relu",
                                      "tanh",
                                      "sigmoid",
                                      "gelu",
                                      "l2_normalize",
                                      "softmax",
                                      "layer_norm",
                                      "batch_norm, mode: train",
                                      "scale, factor: 0.5",
                                      "dropout, rate: 0.3, mode: train",
                                      "segment_softmax",
                                      "position_batch_norm, positions: 10, mode: train",
                                      "segment_softmax, temperature: 2" };
  guint map = take (self, widths == self->rows ? G_N_ELEMENTS (maps) : 10), x = pick (self, widths, 0);
  g_string_append_printf (self->text, "      n%u: {op: %s, x: n%u}\n", self->n, maps[map], x);
  widths[self->n++] = widths[x];
}

static void
write_linear (Writer *self, guint *widths)
{
  guint units = 1 + take (self, 6), x = pick (self, widths, 0);
  g_string_append_printf (self->text, "      n%u: {op: linear, x: n%u, units: %u, bias: %s}\n", self->n, x, units,
                          take (self, 2) ? "true" : "false");
  widths[self->n++] = units;
}

static void
write_pair (Writer *self, guint *widths)
{
  static const char *const pairs[] = { "subtract, a: n%u, b: n%u", "multiply, a: n%u, b: n%u", "add, x: [n%u, n%u]",
                                       "concatenate, x: [n%u, n%u]" };
  guint pair = take (self, G_N_ELEMENTS (pairs)), a = pick (self, widths, 0), b = pick (self, widths, pair == 3 ? 0 : widths[a]);
  g_string_append_printf (self->text, "      n%u: {op: ", self->n);
  /* The formats are those above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  g_string_append_printf (self->text, pairs[pair], a, b);
#pragma GCC diagnostic pop
  g_string_append (self->text, "}\n");
  widths[self->n++] = pair == 3 ? widths[a] + widths[b] : widths[a];
}

static void
write_sequence (Writer *self)
{
  guint x = pick (self, self->rows, 0), width = self->rows[x], units = 1 + take (self, 3);
  if (take (self, 2))
    {
      g_string_append_printf (self->text, "      n%u: {op: gru, x: n%u, units: %u}\n", self->n, x, units);
      self->rows[self->n++] = units;
      return;
    }
  guint key = pick (self, self->rows, width), value = pick (self, self->rows, width);
  g_string_append_printf (self->text, "      n%u: {op: attention, query: n%u, key: n%u, value: n%u, heads: %u}\n", self->n, x, key, value,
                          width % 2 ? 1 : 2);
  self->rows[self->n++] = width;
}

static void
write_pool (Writer *self)
{
  static const char *const pools[] = { "segment_mean", "segment_sum", "segment_max" };
  guint x = pick (self, self->rows, 0);
  g_string_append_printf (self->text, "      n%u: {op: %s, x: n%u}\n", self->n, pools[take (self, G_N_ELEMENTS (pools))], x);
  self->sample[self->n++] = self->rows[x];
}

static void
write_spread (Writer *self)
{
  guint x = pick (self, self->sample, 0);
  g_string_append_printf (self->text, "      n%u: {op: spread, x: n%u, like: n%u}\n", self->n, x, pick (self, self->rows, 0));
  self->rows[self->n++] = self->sample[x];
}

static void
write_weigh (Writer *self)
{
  guint x = pick (self, self->rows, 0), weights = pick (self, self->rows, 1);
  if (weights == G_MAXUINT)
    return;
  g_string_append_printf (self->text, "      n%u: {op: weigh, x: n%u, weights: n%u}\n", self->n, x, weights);
  self->sample[self->n++] = self->rows[x];
}

static void
write_node (Writer *self)
{
  guint kind = take (self, 16);
  guint *widths = take (self, 3) ? self->rows : self->sample;
  if (kind < 6)
    write_map (self, widths);
  else if (kind < 9)
    write_linear (self, widths);
  else if (kind < 12)
    write_pair (self, widths);
  else if (kind == 12)
    write_sequence (self);
  else if (kind == 13)
    write_pool (self);
  else if (kind == 14)
    write_spread (self);
  else
    write_weigh (self);
}

/* The objective: the mean of the last value, and of one more. */
static char *
write_pipeline (Writer *self)
{
  guint width = 1 + take (self, 6), other = 1 + take (self, 4);
  self->text = g_string_new ("pipeline: random\ngraphs:\n  train:\n    mode: train\n    nodes:\n");
  g_string_append_printf (self->text, "      n0: {op: feed, signature: \"f32[b<=%d : t<=%d, %u]\", gradient: true}\n", MOST_SAMPLES,
                          MOST_ROWS, width);
  g_string_append_printf (self->text, "      n1: {op: feed, signature: \"f32[b, %u]\", gradient: true}\n", other);
  self->rows[0] = width;
  self->sample[1] = other;
  self->n = 2;
  for (guint left = 1 + take (self, MOST_NODES); left > 0; left--)
    write_node (self);
  g_string_append_printf (self->text, "      m: {op: mean, x: n%u}\n      k: {op: mean, x: n%u}\n", self->n - 1, take (self, self->n));
  g_string_append (self->text, "      loss: {op: add, x: [m, k]}\n      ask: {op: gradients, minimize: loss}\n    collect: {loss: loss}\n");
  return g_string_free (self->text, FALSE);
}

/* Those that nothing needs are left out of the graph. */
static const char *const feeds[] = { "n0", "n1" };

typedef struct
{
  WeftPlan *plan;
  WeftStore *store;
  WeftExecutor *executor;
} Run;

static void
run_clear (Run *run)
{
  g_clear_pointer (&run->executor, weft_executor_free);
  g_clear_pointer (&run->store, weft_store_free);
  g_clear_pointer (&run->plan, weft_plan_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

/* Plain allocation: nothing takes over anything's place. */
static void
spread_places (WeftPlan *plan)
{
  gsize offset = 0;
  for (guint i = 0; i < plan->graph->wires->len + plan->graph->nodes->len; i++)
    {
      gboolean scratch = i >= plan->graph->wires->len;
      WeftPlace *place = scratch ? &plan->scratch[i - plan->graph->wires->len] : &plan->places[i];
      if (place->bytes == 0)
        continue;
      place->offset = offset;
      place->shares = -1;
      offset += place->bytes + 64;
    }
  plan->arena = offset;
  plan->fixed = TRUE;
}

static void
run_open (Run *run, WeftGraph *graph, gboolean plain)
{
  static WeftTeam *team;
  g_autoptr (GError) error = NULL;
  if (team == NULL)
    team = weft_team_new (1, NULL);
  run->plan = weft_plan_new (graph, &error);
  g_assert_no_error (error);
  if (plain)
    spread_places (run->plan);
  run->store = weft_store_new ();
  if (weft_store_prepare (run->store, graph->pipeline, SEED, &error))
    run->executor = weft_executor_new (run->plan, run->store, team, SEED, &error);
  g_assert_no_error (error);
}

static float
run_step (Run *run, WeftTensor *tensors)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 2; i++)
    if (weft_graph_node (run->plan->graph, feeds[i]) != NULL && !weft_executor_feed (run->executor, feeds[i], &tensors[i], &error))
      fuzz_fail ("%s", error->message);
  WeftStepResult result = weft_executor_step (run->executor, 0, 0, &error);
  g_assert_no_error (error);
  g_assert (result == WEFT_STEP_DONE);
  return *(const float *) weft_executor_value (run->executor, weft_graph_wire (run->plan->graph, "loss"))->data;
}

/* A value whose gradient is known, in one of the runs. */
typedef struct
{
  const WeftWire *gradient;
  WeftTensor *value;
} Differentiated;

/* All inputs and parameters that have a gradient. */
static GArray *
find_differentiated (const WeftGraph *graph, WeftStore *store, WeftTensor *tensors)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Differentiated));
  const GArray *targets = weft_graph_node (graph, "ask")->targets;
  for (guint i = 0; i < 2; i++)
    {
      const WeftNode *feed = weft_graph_node (graph, feeds[i]);
      Differentiated input = { feed != NULL ? feed->out_gradients[0] : NULL, &tensors[i] };
      if (input.gradient != NULL)
        g_array_append_val (found, input);
    }
  for (guint i = 0; i < targets->len; i++)
    {
      const WeftTarget *target = &g_array_index (targets, WeftTarget, i);
      Differentiated parameter = { target->gradient, weft_store_lookup (store, target->path) };
      if (parameter.gradient != NULL)
        g_array_append_val (found, parameter);
    }
  return found;
}

static void
keep_gradients (WeftGraph *graph)
{
  for (guint i = 0; i < graph->wires->len; i++)
    {
      WeftWire *wire = graph->wires->pdata[i];
      gboolean of_feed = wire->node != NULL && wire->kind != WEFT_WIRE_OUTPUT && wire->kind != WEFT_WIRE_SAVED;
      if (of_feed && wire->read)
        wire->kept = TRUE;
    }
  for (guint i = 0; i < graph->feeds->len; i++)
    {
      WeftWire *wire = ((WeftNode *) graph->feeds->pdata[i])->out_gradients[0];
      if (wire != NULL)
        wire->read = wire->kept = TRUE;
    }
}

static gboolean
same_bits (const WeftTensor *a, const WeftTensor *b)
{
  return weft_tensor_bytes (a) == weft_tensor_bytes (b) && memcmp (a->data, b->data, weft_tensor_bytes (a)) == 0;
}

static void
compare_runs (Run *arena, Run *plain, WeftTensor *tensors)
{
  float loss = run_step (arena, tensors), other = run_step (plain, tensors);
  g_autoptr (GArray) values = find_differentiated (arena->plan->graph, arena->store, tensors);
  g_assert (memcmp (&loss, &other, sizeof loss) == 0);
  for (guint i = 0; i < values->len; i++)
    {
      const WeftWire *wire = g_array_index (values, Differentiated, i).gradient;
      g_assert (same_bits (weft_executor_value (arena->executor, wire), weft_executor_value (plain->executor, wire)));
    }
}

/* Moves every value by @h along a direction of ones and minus ones. */
static void
move (const GArray *values, float *const *origins, float h)
{
  for (guint i = 0; i < values->len; i++)
    {
      WeftTensor *value = g_array_index (values, Differentiated, i).value;
      WeftRandom random = weft_random_for (SEED, "direction", i);
      for (gint64 k = 0; k < weft_tensor_elements (value); k++)
        ((float *) value->data)[k] = origins[i][k] + (weft_random_bits (random, (guint32) k) & 1 ? h : -h);
    }
}

/* @here: the loss where nothing is moved; @bend: how much the slope on one side differs from that on the other */
static double
quotient (Run *run, WeftTensor *tensors, const GArray *values, float *const *origins, float h, double here, double *bend)
{
  move (values, origins, h);
  double above = (double) run_step (run, tensors);
  move (values, origins, -h);
  double below = (double) run_step (run, tensors);
  move (values, origins, 0);
  *bend = fabs (above - 2 * here + below) / (double) h;
  return (above - below) / (2 * (double) h);
}

/* What the gradients say about the direction; @scale: how large that could be. */
static double
slope (Run *run, const GArray *values, double *scale)
{
  double sum = 0, squares = 0;
  for (guint i = 0; i < values->len; i++)
    {
      const WeftTensor *gradient = weft_executor_value (run->executor, g_array_index (values, Differentiated, i).gradient);
      WeftRandom random = weft_random_for (SEED, "direction", i);
      for (gint64 k = 0; k < weft_tensor_elements (gradient); k++)
        {
          double g = (double) ((const float *) gradient->data)[k];
          sum += weft_random_bits (random, (guint32) k) & 1 ? g : -g;
          squares += g * g;
        }
    }
  *scale = sqrt (squares);
  return sum;
}

static double
largest_of (Run *run, const WeftWire *wire)
{
  const WeftTensor *tensor = wire != NULL ? weft_executor_value (run->executor, wire) : NULL;
  double largest = 0;
  for (gint64 k = 0; tensor != NULL && tensor->data != NULL && k < weft_tensor_elements (tensor); k++)
    largest = MAX (largest, fabs ((double) ((const float *) tensor->data)[k]));
  return largest;
}

/* The largest number that any gradient holds on the way: what cancels out there leaves its rounding behind. */
static double
largest_gradient (Run *run)
{
  const GPtrArray *wires = run->plan->graph->wires;
  double largest = 0;
  for (guint i = 0; i < wires->len; i++)
    {
      const WeftWire *wire = wires->pdata[i];
      if (wire->kind == WEFT_WIRE_INPUT_GRADIENT || wire->kind == WEFT_WIRE_PARAMETER_GRADIENT)
        largest = MAX (largest, largest_of (run, wire));
    }
  return largest;
}

/* The length of the shortest row that is normalised to unit length. Where it is no longer than a step, all that happens to its direction
 * happens within one; what cancelled out before, or should cancel, is enlarged by 1 over it. */
static double
shortest_row (Run *run)
{
  const GPtrArray *nodes = run->plan->graph->nodes;
  double shortest = INFINITY;
  for (guint i = 0; i < nodes->len; i++)
    {
      const WeftNode *node = nodes->pdata[i];
      if (node->kind != WEFT_NODE_FORWARD || !g_str_equal (node->op->name, "l2_normalize"))
        continue;
      const WeftTensor *x = weft_executor_value (run->executor, node->inputs[0].wires[0]);
      gint64 width = weft_tensor_last (x);
      for (gint64 at = 0; at < weft_tensor_elements (x); at += width)
        {
          double squares = 0;
          for (gint64 k = at; k < at + width; k++)
            squares += (double) ((const float *) x->data)[k] * (double) ((const float *) x->data)[k];
          shortest = MIN (shortest, sqrt (squares));
        }
    }
  return shortest;
}

/* Where quotients of different steps, or the slopes of both sides, disagree there is a kink or a cliff, and nothing to compare. */
static void
compare_slopes (Run *run, WeftTensor *tensors, const char *text)
{
  static const float steps[] = { 4e-3f, 2e-3f, 1e-3f };
  g_autoptr (GArray) values = find_differentiated (run->plan->graph, run->store, tensors);
  g_autofree float **origins = g_new0 (float *, values->len + 1);
  double loss = (double) run_step (run, tensors), scale, expected = slope (run, values, &scale), quotients[3], bends[3];
  double rounding = 1e-6 * largest_gradient (run);
  gboolean short_rows = shortest_row (run) < 10 * (double) steps[0];
  for (guint i = 0; i < values->len; i++)
    {
      const WeftTensor *value = g_array_index (values, Differentiated, i).value;
      origins[i] = g_memdup2 (value->data, weft_tensor_bytes (value));
    }
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    quotients[i] = quotient (run, tensors, values, origins, steps[i], loss, &bends[i]);
  for (guint i = 0; i < values->len; i++)
    g_free (origins[i]);
  double noise = 1e-5 * (1 + fabs (loss)) / (double) steps[2], allowed = 0.05 * (scale + fabs (expected)) + noise + rounding;
  double spread = fabs (quotients[0] - quotients[1]) + fabs (quotients[1] - quotients[2]);
  double typical = MIN (scale + fabs (expected), 1 + 10 * fabs (quotients[2]));
  gboolean smooth = MAX (spread, bends[2]) < 0.02 * typical + noise;
  if (!isfinite (expected) || !smooth || short_rows)
    return;
  if (fabs (quotients[1] - expected) > allowed)
    fuzz_fail ("the gradients say %.9g, differences %.9g, %.9g, %.9g\n%s", expected, quotients[0], quotients[1], quotients[2], text);
}

/* Samples of any number of rows, none among them. */
static void
fill (WeftTensor *tensors, gint32 *offsets, guint samples, guint rows, guint step)
{
  WeftRandom random = weft_random_for (SEED, "sizes", step);
  offsets[0] = 0;
  for (guint i = 1; i <= samples; i++)
    offsets[i] = i == samples ? (gint32) rows : offsets[i - 1] + (gint32) weft_random_below (random, i, rows - (guint) offsets[i - 1] + 1);
  tensors[0].samples = samples;
  tensors[0].shape[0] = rows;
  tensors[1].shape[0] = samples;
  for (guint i = 0; i < 2; i++)
    for (gint64 k = 0; k < weft_tensor_elements (&tensors[i]); k++)
      ((float *) tensors[i].data)[k] = weft_random_normal (weft_random_for (SEED, "values", step), (guint32) (i << 16) + (guint32) k);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (weft_registry_find ("linear") == NULL)
    weft_registry_load (NULL);
  Writer writer = { .data = data, .left = size };
  guint samples[2] = { 1 + take (&writer, MOST_SAMPLES), 1 + take (&writer, MOST_SAMPLES) };
  guint rows[2] = { take (&writer, MOST_ROWS + 1), take (&writer, MOST_ROWS + 1) };
  g_autofree char *text = write_pipeline (&writer);
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftValue) document = weft_document_parse (text, -1, "random", problems);
  g_autoptr (WeftPipeline) pipeline = weft_pipeline_build (document, problems);
  if (pipeline == NULL)
    fuzz_fail ("%s\n%s", weft_problems_get (problems, 0), text);
  WeftGraph *graph = weft_pipeline_graph (pipeline, "train");
  keep_gradients (graph);
  g_auto (Run) arena = { 0 }, plain = { 0 };
  run_open (&arena, graph, FALSE);
  run_open (&plain, graph, TRUE);

  float values[2][MOST_ROWS * 8];
  gint32 offsets[MOST_SAMPLES + 1];
  WeftTensor tensors[2] = { { .type = WEFT_F32, .rank = 2, .shape = { 0, writer.rows[0] }, .data = values[0], .offsets = offsets },
                            { .type = WEFT_F32, .rank = 2, .shape = { 0, writer.sample[1] }, .data = values[1] } };
  for (guint step = 0; step < 2; step++)
    {
      fill (tensors, offsets, samples[step], rows[step], step);
      compare_runs (&arena, &plain, tensors);
    }
  compare_slopes (&plain, tensors, text);
  return 0;
}
