/* Operators whose kernels are wrong in one way each; the name says how.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <weft/operator.h>

static gint64
size (const WeftCall *call)
{
  return weft_tensor_elements (call->in[0]);
}

static const float *
given (const WeftCall *call)
{
  return call->in[0]->data;
}

static float *
result (const WeftCall *call)
{
  return call->out[0]->data;
}

static void
twice (const WeftCall *call)
{
  for (gint64 i = 0; i < size (call); i++)
    result (call)[i] = 2 * given (call)[i];
}

static void
twice_backward (const WeftCall *call)
{
  const float *dy = call->out_gradient[0]->data;
  float *dx = call->in_gradient[0] ? call->in_gradient[0]->data : NULL;

  for (gint64 i = 0; dx && i < size (call); i++)
    dx[i] = 2 * dy[i];
}

/* Where one element is left over from a vector of 16. */
static void
wrong_at_edge_backward (const WeftCall *call)
{
  gint64 n = size (call), width = weft_tensor_last (call->in[0]);

  twice_backward (call);
  if (n && width % 16 == 1 && width > 1 && call->in_gradient[0])
    ((float *) call->in_gradient[0]->data)[n - 1] = 0;
}

typedef struct
{
  const WeftCall *call;
  GMutex lock;
  float sums[64];
} Sums;

static float
sum_of_tile (const WeftCall *call, gint64 tile)
{
  float sum = 0;

  for (gint64 i = 4 * tile; i < MIN (size (call), 4 * tile + 4); i++)
    sum += 1.1f * given (call)[i];
  return sum;
}

static void
add_when_done (gpointer data, gint64 tile, guint member G_GNUC_UNUSED)
{
  Sums *sums = data;
  float sum = sum_of_tile (sums->call, tile);

  g_mutex_lock (&sums->lock);
  sums->sums[0] += sum;
  g_mutex_unlock (&sums->lock);
}

static void
add_to_member (gpointer data, gint64 tile, guint member)
{
  Sums *sums = data;

  sums->sums[member % G_N_ELEMENTS (sums->sums)] += sum_of_tile (sums->call, tile);
}

static void
sum_by (const WeftCall *call, void (*tile) (gpointer data, gint64 index, guint member))
{
  Sums sums = { .call = call };
  float sum = 0;

  g_mutex_init (&sums.lock);
  weft_parallel (call, (size (call) + 3) / 4, tile, &sums);
  g_mutex_clear (&sums.lock);
  for (guint i = 0; i < G_N_ELEMENTS (sums.sums); i++)
    sum += sums.sums[i];
  for (gint64 i = 0; i < size (call); i++)
    result (call)[i] = sum;
}

static void
sums_in_any_order (const WeftCall *call)
{
  sum_by (call, add_when_done);
}

static void
sums_by_member (const WeftCall *call)
{
  sum_by (call, add_to_member);
}

static gsize
ten_numbers (const WeftCall *call G_GNUC_UNUSED)
{
  return 10 * sizeof (float);
}

static void
reads_scratch (const WeftCall *call)
{
  twice (call);
  for (gint64 i = 0; i < size (call); i++)
    result (call)[i] += *(const float *) call->scratch;
}

static void
writes_past_scratch (const WeftCall *call)
{
  memset (call->scratch, 0, 11 * sizeof (float));
  twice (call);
}

static void
reads_past (const WeftCall *call)
{
  twice (call);
  if (size (call))
    *result (call) += given (call)[size (call)];
}

static void
reads_undeclared_backward (const WeftCall *call)
{
  const float *y = call->out[0]->data, *dy = call->out_gradient[0]->data;
  float *dx = call->in_gradient[0]->data;

  for (gint64 i = 0; i < size (call); i++)
    dx[i] = 2 * dy[i] + 0 * y[i];
}

/* Right if y has memory of its own. */
static void
wrong_in_place (const WeftCall *call)
{
  for (gint64 i = 0; i < size (call); i++)
    result (call)[i] = given (call)[i] + (i ? given (call)[i - 1] : 0);
}

static void
wrong_in_place_backward (const WeftCall *call)
{
  const float *dy = call->out_gradient[0]->data;
  float *dx = call->in_gradient[0] ? call->in_gradient[0]->data : NULL;
  gint64 n = size (call);

  for (gint64 i = 0; dx && i < n; i++)
    dx[i] = dy[i] + (i + 1 < n ? dy[i + 1] : 0);
}

static void
add (const WeftCall *call)
{
  const float *z = call->in[1]->data;

  for (gint64 i = 0; i < size (call); i++)
    result (call)[i] = given (call)[i] + z[i];
}

static void
wants_all_gradients_backward (const WeftCall *call)
{
  gsize bytes = weft_tensor_bytes (call->in[0]);

  memcpy (call->in_gradient[0]->data, call->out_gradient[0]->data, bytes);
  memcpy (call->in_gradient[1]->data, call->out_gradient[0]->data, bytes);
}

static void
wants_optional_output (const WeftCall *call)
{
  twice (call);
  memset (call->out[1]->data, 0, weft_tensor_bytes (call->out[1]));
}

static void
ignores_optional_output (const WeftCall *call)
{
  twice (call);
  if (call->out[1])
    memcpy (call->out[1]->data, given (call), weft_tensor_bytes (call->out[1]));
}

static void
ignores_optional_output_backward (const WeftCall *call)
{
  if (call->out_gradient[0])
    twice_backward (call);
  else
    memset (call->in_gradient[0]->data, 0, weft_tensor_bytes (call->in[0]));
}

static void
forgets_inference (const WeftCall *call)
{
  if (call->mode == WEFT_MODE_TRAIN)
    twice (call);
}

static void
changes_gradient_backward (const WeftCall *call)
{
  twice_backward (call);
  memset (call->out_gradient[0]->data, 0, weft_tensor_bytes (call->out_gradient[0]));
}

static void
changes_parameter (const WeftCall *call)
{
  float *shift = call->parameters[0]->data;

  for (gint64 i = 0; i < size (call); i++)
    result (call)[i] = 2 * given (call)[i] + *shift;
  *shift += 1;
}

static void
changes_parameter_backward (const WeftCall *call)
{
  const float *dy = call->out_gradient[0]->data;
  float *by_shift = call->parameter_gradient[0] ? call->parameter_gradient[0]->data : NULL;

  twice_backward (call);
  if (by_shift)
    *by_shift = 0;
  for (gint64 i = 0; by_shift && i < size (call); i++)
    *by_shift += dy[i];
}

#define PORT(name_)                                                                                                                        \
  {                                                                                                                                        \
    .name = name_, .signature = "f32[n, d]", .meaning = "numbers"                                                                          \
  }
#define PORTS(...)                                                                                                                         \
  (const WeftPort[])                                                                                                                       \
  {                                                                                                                                        \
    __VA_ARGS__,                                                                                                                           \
    {                                                                                                                                      \
      0                                                                                                                                    \
    }                                                                                                                                      \
  }
#define FEED "x: {op: feed, signature: \"f32[b<=5, 7]\", gradient: true}\n"
#define OPERATOR(name_, forward_, backward_, ...)                                                                                          \
  static const WeftOperator operator_##name_ = {                                                                                           \
    .size = WEFT_OPERATOR_SIZE, .name = #name_, .version = 1, .summary = "Wrong", .forward = forward_, .backward = backward_, __VA_ARGS__  \
  };                                                                                                                                       \
  WEFT_OPERATOR (operator_##name_)
#define UNARY(name_, forward_, backward_, ...)                                                                                             \
  OPERATOR (name_, forward_, backward_, .inputs = PORTS (PORT ("x")), .outputs = PORTS (PORT ("y")),                                       \
            .example = FEED "y: {op: " #name_ ", x: x}\n", ##__VA_ARGS__)
#define OPTIONAL PORTS (PORT ("y"), { .name = "z", .signature = "f32[n, d]", .flags = WEFT_PORT_OPTIONAL, .meaning = "numbers" })

UNARY (wrong_at_edge, twice, wrong_at_edge_backward);
UNARY (sums_in_any_order, sums_in_any_order, NULL, .not_differentiable = "shortens this file");
UNARY (sums_by_member, sums_by_member, NULL, .not_differentiable = "shortens this file");
UNARY (reads_scratch, reads_scratch, twice_backward, .scratch = ten_numbers);
UNARY (writes_past_scratch, writes_past_scratch, twice_backward, .scratch = ten_numbers);
UNARY (reads_past, reads_past, twice_backward);
UNARY (reads_undeclared, twice, reads_undeclared_backward);
UNARY (wrong_in_place, wrong_in_place, wrong_in_place_backward, .in_place = (const char *const[]){ "x=y", NULL });
UNARY (forgets_inference, forgets_inference, twice_backward);
UNARY (changes_gradient, twice, changes_gradient_backward);
UNARY (changes_parameter, changes_parameter, changes_parameter_backward,
       .parameters = PORTS ({ .name = "shift", .signature = "f32[]", .initial = "zeros", .meaning = "added" }));
OPERATOR (wants_all_gradients, add, wants_all_gradients_backward, .inputs = PORTS (PORT ("x"), PORT ("z")), .outputs = PORTS (PORT ("y")),
          .example = FEED "z: {op: feed, signature: \"f32[b, 7]\", gradient: true}\ny: {op: wants_all_gradients, x: x, z: z}\n");
OPERATOR (wants_optional_output, wants_optional_output, NULL, .inputs = PORTS (PORT ("x")), .outputs = OPTIONAL,
          .not_differentiable = "shortens this file", .example = FEED "y: {op: wants_optional_output, x: x}\n");
OPERATOR (ignores_optional_output, ignores_optional_output, ignores_optional_output_backward, .inputs = PORTS (PORT ("x")),
          .outputs = OPTIONAL, .example = FEED "y: {op: ignores_optional_output, x: x}\n");
OPERATOR (asks_for_no_gradient, twice, twice_backward, .inputs = PORTS (PORT ("x")), .outputs = PORTS (PORT ("y")),
          .example = "x: {op: feed, signature: \"f32[b<=5, 7]\"}\ny: {op: asks_for_no_gradient, x: x}\n");
WEFT_MODULE ("kernels", "1.0", "Broken on purpose");
